/**
 * Cards of comments that have no id yet, in the list where the comment will stand.
 *
 * @import { List } from '../../reading/list.js'
 * @import { Comment } from '../../live/wire.js'
 */
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

/** The post's card becomes the comment's. @param {List} list @param {string} key @param {Comment} comment */
export function confirmPendingCard(list, key, comment) {
  const card = list.cards.get(key);
  list.cards.delete(key);
  if (card && list.cards.has(comment.id)) card.element.remove();
  else if (card) {
    list.cards.set(comment.id, card);
    clearStatus(card);
    card.update(comment);
  }
  list.show([comment.id]);
}

/** @param {List} list @param {string} key */
export function removePendingCard(list, key) {
  list.cards.get(key)?.element.remove();
  list.cards.delete(key);
  list.refresh();
}
