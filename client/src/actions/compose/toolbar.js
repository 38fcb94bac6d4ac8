/**
 * The buttons above a field. What they do comes with the third file, when they are first used.
 *
 * @import { Translate } from '../../page/strings.js'
 * @import { Form } from '../../reading/form.js'
 * @import { Node as Tree } from '../../live/wire.js'
 * @import { Formatting } from '../extras/formatting.js'
 */
import { button, setAttribute } from '../../page/dom.js';
import { loadExtras } from '../extras/load.js';
import { showFormErrors } from './formError.js';

/** Signs that every font has; without one, a tool has its word. */
const TOOLS = /** @type {const} */ ([['bold', 'B'], ['italic', 'I'], ['code', '<>'], ['quotation', '”'], ['list', '•'], ['insert_link', '']]);

export class Toolbar {
  #form;
  #t;
  #read;
  /** @type {Formatting | undefined} */
  #formatting;

  /** @param {Form} form @param {Translate} t @param {(text: string) => Promise<{body: Tree[]}>} read */
  constructor(form, t, read) {
    this.#form = form;
    this.#t = t;
    this.#read = read;
    const { tools } = form;
    setAttribute(tools, 'role', 'toolbar');
    setAttribute(tools, 'aria-label', t('formatting'));
    for (const [name, sign] of TOOLS) {
      const label = { 'aria-label': t(name), title: t(name), class: `tool ${name}`, tabindex: tools.firstChild ? -1 : 0 };
      tools.append(button(sign || t(name), 'tool', () => this.#use((formatting) => formatting.mark(name)), label));
    }
    tools.append(button(t('preview'), 'tool', () => this.#use((formatting) => formatting.togglePreview()), { 'aria-pressed': 'false', tabindex: -1 }));
    tools.addEventListener('keydown', (event) => event.key.startsWith('Arrow') && this.#use((formatting) => formatting.key(event)));
    // it is there when the button is pressed
    for (const type of ['focusin', 'pointerenter']) tools.addEventListener(type, () => loadExtras().catch(() => {}), { once: true });
  }

  /** A failure is shown at the form, which keeps its text, and the next press tries again. @param {(formatting: Formatting) => void} work */
  #use(work) {
    if (this.#formatting) return work(this.#formatting);
    loadExtras().then(
      ({ Formatting }) => {
        this.#formatting ??= new Formatting(this.#form, this.#t, this.#read);
        showFormErrors(this.#form);
        work(this.#formatting);
      },
      () => showFormErrors(this.#form, [this.#t('extras_error')]),
    );
  }

  /** Back from the preview to the text. */
  close() {
    this.#formatting?.close();
  }
}
