/**
 * Decisions, at once and without a question: the card goes, the next one has the focus, and the line says what was done. What
 * the server refuses comes back as it is there now; what did not get through comes back as it was.
 *
 * @import { Act, Decision, Result, Target } from './requests.js'
 * @import { Step } from './undo.js'
 * @import { DeskPage } from './desk.js'
 */
import { ApiError } from '../live/api.js';
import { chunks, MOST_DECISIONS } from './requests.js';

/** After these the comment is where it was. @type {ReadonlySet<string>} */
const STAYING = new Set(['pin', 'unpin']);

export class Acts {
  #desk;

  /** @param {DeskPage} desk */
  constructor(desk) {
    this.#desk = desk;
  }

  /** @param {HTMLElement} card @param {Decision} decision */
  async decide(card, decision) {
    const { queue, requests, selection } = this.#desk;
    if (this.#isRefused()) return;
    const target = targetOf(card);
    const stays = queue.name === 'all' || STAYING.has(decision.do);
    const after = card.nextElementSibling;
    queue.decide(target.comment_id, target.version);
    selection.drop(target.comment_id);
    if (!stays) this.#leave(card);
    let results;
    try {
      results = await requests.decide([target], decision);
    } catch (error) {
      queue.refused(target.comment_id);
      if (!stays) this.#putBack(card, after);
      return this.#fail(error);
    }
    const [result] = results;
    if (result?.problem) return this.#late(result, after);
    this.#desk.undo.push(stepOf(decision.do, results));
    if (stays) await this.#desk.refresh([target.comment_id]);
    await this.#told(decision.do);
  }

  /** About all that is chosen, in as many requests as that takes. @param {Target[]} targets @param {Decision} decision */
  async decideAll(targets, decision) {
    const { queue, requests, selection, status, t } = this.#desk;
    if (this.#isRefused()) return;
    for (const { comment_id, version } of targets) queue.decide(comment_id, version);
    /** @type {Result[]} */
    const results = [];
    let failure;
    for (const some of chunks(targets, MOST_DECISIONS)) {
      if (targets.length > MOST_DECISIONS) status.say(t('progress', { n: results.length, total: targets.length }));
      try {
        results.push(...(await requests.decide(some, decision)));
      } catch (error) {
        failure = error;
        break;
      }
    }
    for (const { comment_id } of targets.slice(results.length)) queue.refused(comment_id);
    for (const { comment_id } of results) selection.drop(comment_id);
    this.#desk.undo.push(stepOf(decision.do, results));
    const refused = results.filter(({ problem }) => problem);
    this.#leaveAll(results.filter(({ problem }) => !problem), decision.do);
    for (const result of refused) await this.#late(result, null);
    this.#desk.chosen();
    if (failure) return this.#fail(failure);
    await this.#toldAll(results.length - refused.length, refused.length);
  }

  async undoLast() {
    const { undo, requests, status, t } = this.#desk;
    if (this.#isRefused()) return;
    const step = undo.pop();
    if (!step) return status.say(t('nothing_to_undo'));
    let results;
    try {
      results = await requests.undo(step.actions);
    } catch (error) {
      undo.push(step);
      return this.#fail(error);
    }
    const undone = results.filter(({ problem }) => !problem).map(({ comment_id }) => comment_id);
    const refused = results.filter(({ problem }) => problem);
    await this.#desk.bringBack(undone);
    for (const result of refused) await this.#late(result, null);
    await this.#desk.counts.ask().catch(() => {});
    if (undone.length) status.say(refused.length ? t('undone_some', { n: undone.length, total: results.length }) : t('undone'));
  }

  /** @param {HTMLElement} card @param {FormData} form */
  async ban(card, form) {
    const { requests, status, t } = this.#desk;
    if (this.#isRefused()) return;
    const given = (/** @type {string} */ name) => String(form.get(name) ?? '').trim() || undefined;
    const hours = Number(given('hours')) || null;
    const ban = { author_id: card.dataset.author ?? '', effect: given('effect') ?? 'refuse', hours, reason: given('reason'), note: given('note'), remove: given('remove') };
    try {
      await requests.ban(ban);
    } catch (error) {
      return this.#fail(error);
    }
    await this.#desk.refresh(this.#desk.cards.all.filter((one) => one.dataset.author === ban.author_id).map((one) => one.dataset.id ?? ''));
    status.say(t('banned'));
  }

  /** Says so where nothing can be done at the moment. */
  #isRefused() {
    const { status, t, isOffline, hasEnded } = this.#desk;
    if (hasEnded) status.say(t('ended'));
    else if (isOffline) status.say(t('offline'));
    return hasEnded || isOffline;
  }

  // ---- cards --------------------------------------------------------------------------------------------

  /** @param {HTMLElement} card */
  #leave(card) {
    const { cards, queue } = this.#desk;
    const hadFocus = card.contains(document.activeElement) || this.#desk.current === card;
    const next = card.nextElementSibling ?? card.previousElementSibling;
    queue.leave(card.dataset.id ?? '');
    cards.remove(card);
    if (hadFocus) this.#desk.focus(next instanceof HTMLElement ? next : null);
  }

  /** @param {Result[]} results @param {Act} act */
  #leaveAll(results, act) {
    const { cards, queue } = this.#desk;
    const ids = results.map(({ comment_id }) => comment_id);
    if (queue.name === 'all' || STAYING.has(act)) return void this.#desk.refresh(ids);
    for (const id of ids) {
      const card = cards.of(id);
      if (card) this.#leave(card);
      else queue.leave(id);
    }
  }

  /** @param {HTMLElement} card @param {Element | null} after */
  #putBack(card, after) {
    const { cards, queue } = this.#desk;
    const { comment_id, version } = targetOf(card);
    cards.insert([card], after?.isConnected ? after : null);
    queue.show(comment_id, version);
    this.#desk.focus(card);
  }

  /** Somebody else was first: shows what is there now. @param {Result} result @param {Element | null} after */
  async #late({ comment_id, problem, item }, after) {
    const { cards, queue, status, t } = this.#desk;
    queue.refused(comment_id);
    const by = item?.decision?.by ?? '';
    const said = problem?.code === 'decided' && by ? t('decided_first', { name: by }) : t(problem?.code === 'not_found' || problem?.code === 'gone' ? 'gone' : 'changed_first');
    const old = cards.of(comment_id);
    if (item && (old || after)) {
      const [card] = await cards.fetch([comment_id]).catch(() => []);
      if (card && old) cards.replace(old, card);
      else if (card) cards.insert([card], after?.isConnected ? after : null);
      if (card) {
        queue.show(comment_id, item.version);
        this.#desk.mark(card, said, item.queue !== queue.name && queue.name !== 'all');
      }
    } else if (old) this.#desk.mark(old, said, true);
    await this.#desk.counts.ask().catch(() => {});
    status.say(said);
  }

  // ---- what is said -------------------------------------------------------------------------------------

  /** @param {Act} act */
  async #told(act) {
    const { t, status } = this.#desk;
    await this.#asked();
    status.say(this.#withCount(t(`did_${act}`)));
  }

  /** @param {number} done @param {number} refused */
  async #toldAll(done, refused) {
    const { t, status } = this.#desk;
    await this.#asked();
    const said = refused ? t('did_some', { n: done, total: done + refused }) : t('did_all', { n: done });
    status.say(this.#withCount(said));
  }

  /** Counts are asked for, and the list is filled up; neither makes a decision fail. */
  async #asked() {
    await this.#desk.counts.ask().catch(() => {});
    void this.#desk.refill().catch(() => {});
  }

  /** "Removed; 12 waiting". @param {string} said */
  #withCount(said) {
    const { queue, counts, t } = this.#desk;
    if (!counts.newest || !(queue.name in counts.newest)) return said;
    const n = counts.newest[/** @type {'waiting' | 'reported' | 'suspected'} */ (queue.name)];
    return t(`then_${queue.name}`, { name: said, n });
  }

  /** @param {unknown} error */
  #fail(error) {
    const { status, t } = this.#desk;
    const { status: code = 0, detail = '' } = error instanceof ApiError ? error : {};
    if (code === 401) this.#desk.end();
    status.say(code === 0 || code >= 500 ? t('not_saved') : code === 401 ? t('ended') : detail || t('not_saved'));
  }
}

/** @param {HTMLElement} card @returns {Target} */
export function targetOf({ dataset }) {
  return { comment_id: dataset.id ?? '', version: Number(dataset.version) };
}

/** @param {Act} did @param {Result[]} results @returns {Step} */
function stepOf(did, results) {
  return { did, actions: results.flatMap(({ comment_id, action }) => (action ? [{ comment_id, action }] : [])) };
}
