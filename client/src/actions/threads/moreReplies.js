/**
 * What a press on "Show more replies" shows, where that is certain: a page of them, or all that the discussion lacks.
 *
 * @import { Context } from '../context.js'
 * @import { Thread } from '../../live/thread.js'
 */
import { setText } from '../../page/dom.js';

/** As many as the server gives at once. */
const PAGE = 50;

export class MoreReplies {
  #context;

  /** @param {Context} context */
  constructor(context) {
    this.#context = context;
  }

  start() {
    this.listReplaced();
  }

  listReplaced() {
    const { list } = this.#context;
    const { refreshed } = list;
    list.refreshed = () => {
      refreshed();
      this.changed();
    };
    this.changed();
  }

  changed() {
    const { list, thread, t } = this.#context;
    for (const id of thread.nextPages.keys()) {
      const more = list.cards.get(id)?.replies.nextElementSibling;
      const n = coming(thread, id);
      if (more) setText(more, n ? t('show_more_replies', { n }) : t('more_replies'));
    }
  }
}

/** How many replies the next page has, 0 where nobody can tell. @param {Thread} thread @param {string} id */
function coming(thread, id) {
  const missing = lacking(thread, id);
  // what is lacking may have replies of its own, unless the whole discussion lacks no more
  return missing >= PAGE ? PAGE : missing === thread.unloaded ? missing : 0;
}

/** Direct replies that are not here, to the comment and to all that are here below it; NaN where a link has brought some out of turn. @param {Thread} thread @param {string} id @returns {number} */
function lacking(thread, id) {
  let sum = thread.comments.get(id)?.reply_count ?? 0;
  for (const child of thread.children.get(id) ?? []) {
    const comment = /** @type {import('../../live/wire.js').Comment} */ (thread.comments.get(child));
    if (!thread.isLoaded(comment)) return NaN;
    sum += lacking(thread, child) - Number(comment.state === 'visible');
  }
  return sum;
}
