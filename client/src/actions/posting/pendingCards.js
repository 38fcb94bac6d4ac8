/**
 * Cards of comments that have no id yet, in the list where the comment will stand.
 *
 * @import { List } from '../../reading/list.js'
 * @import { Comment } from '../../live/wire.js'
 */
import { preserveScroll } from '../browse/scrollAnchor.js';
import { clearStatus } from './commentStatus.js';

/** @param {List} list @param {Comment} comment Its id is the key of the post. */
export function addPendingCard(list, comment) {
  const card = list.card(comment);
  const parent = list.parentCard(comment);
  if (parent) parent.replies.append(card.element);
  else if (list.thread.sort === 'newest') list.chunkBefore(list.feed.querySelector('article')).prepend(card.element);
  else list.chunkAtEnd(list.thread.nextPage ? list.detached : list.feed).append(card.element);
  list.refresh();
  return card;
}

/** The post's card becomes the comment's, and moves to where everybody sees that; the focus in it stays. @param {List} list @param {string} key @param {Comment} comment */
export function confirmPendingCard(list, key, comment) {
  const card = list.cards.get(key);
  const { activeElement: active } = /** @type {ShadowRoot} */ (list.element.getRootNode());
  const hadFocus = card?.element.contains(active);
  list.cards.delete(key);
  if (card && list.cards.has(comment.id)) card.element.remove();
  else if (card) {
    list.cards.set(comment.id, card);
    clearStatus(card);
    card.update(comment);
  }
  preserveScroll(list, () => {
    // it may stand behind what came meanwhile
    if (list.thread.comments.has(comment.id)) card?.element.remove();
    list.show([comment.id]);
  }, card?.element);
  const now = list.cards.get(comment.id)?.element;
  if (hadFocus) /** @type {HTMLElement | undefined} */ (now?.contains(active) ? active : now)?.focus({ preventScroll: true });
}

/** @param {List} list @param {string} key */
export function removePendingCard(list, key) {
  list.cards.get(key)?.element.remove();
  list.cards.delete(key);
  list.refresh();
}
