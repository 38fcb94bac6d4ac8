/**
 * What cards know of their discussion, and how they ask it to do something.
 *
 * @import { Discussion } from './discussion.js'
 * @import { CardContext } from './reading/card.js'
 */

/** @param {Discussion} d @returns {CardContext} */
export function cardContext(d) {
  const indented = () => Math.min(d.settings.depth, d.thread.limits.depth);
  /** @type {CardContext} */
  const context = {
    get t() {
      return d.t;
    },
    time: (iso) => d.clock.formatTime(iso, d.now()),
    title: (iso) => d.clock.title(iso),
    get depth() {
      return Math.max(1, indented());
    },
    get canReply() {
      return d.thread.discussion.mode !== 'closed';
    },
    more({ nextPages, unloaded }) {
      const { max } = d.settings;
      // with all that is left it is known how many come
      const isAll = unloaded <= max && !nextPages.size;
      return d.t(isAll ? 'show_more' : 'show_more_of', { n: Math.min(max, unloaded) || 1, total: unloaded });
    },
    isOwn: ({ author }) => author !== null && [d.thread.viewer?.id].concat(d.thread.viewer?.also).includes(author.id),
    canEdit: (comment) => context.isOwn(comment) && d.now() - Date.parse(comment.created_at) < d.thread.limits.edit_seconds * 1000,
    vote: (id) => d.thread.votes[id] ?? 0,
    repliesTo({ id, parent_id }) {
      const { thread } = d;
      if (!parent_id || thread.ancestors(id).length <= indented()) return undefined;
      return thread.comments.get(parent_id)?.author?.name;
    },
    dispatch: (command, id) => d.dispatch(command, id),
  };
  return context;
}
