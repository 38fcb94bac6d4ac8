/** Every sentence of the client. A plural is `[one, other]`; `{n}` and `{name}` are filled in. */

const en = {
  heading: 'All comments [ {n} ]',
  compose: 'Your comments',
  loading: 'Loading comments…',
  none: 'No comments yet. Start the discussion.',
  loadError: 'The comments could not be loaded.',
  again: 'Try again',
  name: 'Name',
  text: 'Comment',
  send: 'Post comment',
  sendReply: 'Post reply',
  emptyText: 'Write something first.',
  emptyName: 'Give a name first.',
  tooLong: ['{n} character too many', '{n} characters too many'],
  left: ['{n} character left', '{n} characters left'],
  draft: 'Draft saved on this device',
  willWait: 'Comments appear after approval.',
  closed: 'This discussion is closed.',
  sending: 'Sending…',
  queued: 'Waiting for the connection. It will be sent by itself.',
  failed: 'Not sent.',
  held: 'Waiting for approval',
  posted: 'Your comment is posted.',
  heldNow: 'Your comment waits for approval.',
  retry: 'Send now',
  edit: 'Edit',
  discard: 'Discard',
  save: 'Save',
  cancel: 'Cancel',
  delete: 'Delete',
  deleteSure: 'Delete for good?',
  reply: 'Reply',
  replyTo: 'Reply to {name}',
  inReplyTo: 'to {name}',
  voteUp: 'Vote up',
  voteDown: 'Vote down',
  link: 'Link',
  copied: 'Link copied',
  edited: 'edited',
  pinned: 'Pinned',
  moderator: 'Moderator',
  removed: 'This comment was removed by a moderator.',
  deleted: 'This comment was deleted by its author.',
  more: ['Show {n} more comment', 'Show {n} more comments'],
  moreReplies: 'Show more replies',
  pill: ['{n} new comment', '{n} new comments'],
  live: 'Live: on',
  paused: 'Live: off',
  pausedNew: 'Live: off ({n})',
  reading: ['{n} reading', '{n} reading'],
  writing: ['Someone is writing…', '{n} people are writing…'],
  connecting: 'Connecting…',
  reconnecting: 'Reconnecting…',
  offline: 'Offline',
  stopped: 'No live updates',
  sort: 'Order',
  oldest: 'Oldest first',
  newest: 'Newest first',
  top: 'Best first',
};

/** @type {Record<keyof typeof en, string | string[]>} */
const vi = {
  heading: 'Tất cả bình luận [ {n} ]',
  compose: 'Bình luận của bạn',
  loading: 'Đang tải bình luận…',
  none: 'Chưa có bình luận nào. Hãy bắt đầu thảo luận.',
  loadError: 'Không tải được bình luận.',
  again: 'Thử lại',
  name: 'Tên',
  text: 'Nội dung',
  send: 'Gửi bình luận',
  sendReply: 'Gửi trả lời',
  emptyText: 'Hãy viết nội dung trước.',
  emptyName: 'Hãy cho biết tên trước.',
  tooLong: ['Dài quá {n} ký tự'],
  left: ['Còn {n} ký tự'],
  draft: 'Bản nháp đã lưu trên máy này',
  willWait: 'Bình luận sẽ hiện sau khi được duyệt.',
  closed: 'Thảo luận đã đóng.',
  sending: 'Đang gửi…',
  queued: 'Đang chờ kết nối. Bình luận sẽ tự động được gửi.',
  failed: 'Chưa gửi được.',
  held: 'Đang chờ duyệt',
  posted: 'Bình luận của bạn đã được đăng.',
  heldNow: 'Bình luận của bạn đang chờ duyệt.',
  retry: 'Gửi ngay',
  edit: 'Sửa',
  discard: 'Bỏ',
  save: 'Lưu',
  cancel: 'Hủy',
  delete: 'Xóa',
  deleteSure: 'Xóa hẳn?',
  reply: 'Trả lời',
  replyTo: 'Trả lời {name}',
  inReplyTo: 'trả lời {name}',
  voteUp: 'Tán thành',
  voteDown: 'Không tán thành',
  link: 'Liên kết',
  copied: 'Đã chép liên kết',
  edited: 'đã sửa',
  pinned: 'Được ghim',
  moderator: 'Điều hành',
  removed: 'Bình luận đã bị gỡ.',
  deleted: 'Tác giả đã xóa bình luận này.',
  more: ['Xem thêm {n} bình luận'],
  moreReplies: 'Xem thêm trả lời',
  pill: ['{n} bình luận mới'],
  live: 'Trực tiếp: bật',
  paused: 'Trực tiếp: tắt',
  pausedNew: 'Trực tiếp: tắt ({n})',
  reading: ['{n} người đang đọc'],
  writing: ['{n} người đang viết…'],
  connecting: 'Đang kết nối…',
  reconnecting: 'Đang kết nối lại…',
  offline: 'Ngoại tuyến',
  stopped: 'Không có cập nhật trực tiếp',
  sort: 'Thứ tự',
  oldest: 'Cũ nhất trước',
  newest: 'Mới nhất trước',
  top: 'Hay nhất trước',
};

/** @typedef {keyof typeof en} Key */
/** @typedef {(key: Key, values?: {n?: number, name?: string}) => string} Speak */

/** @type {Record<string, Record<Key, string | string[]>>} */
export const languages = { en, vi };

/**
 * The sentences of a language; English where there are none.
 *
 * @param {string} tag Such as `vi-VN`.
 * @returns {Speak}
 */
export function speaker(tag) {
  const asked = tag.toLowerCase().split('-')[0];
  const language = Object.hasOwn(languages, asked) ? asked : 'en';
  const plural = new Intl.PluralRules(language);
  const number = new Intl.NumberFormat(language);
  return (key, { n = 0, name = '' } = {}) => {
    const found = languages[language][key];
    const form = typeof found === 'string' ? found : found[plural.select(n) === 'one' ? 0 : found.length - 1];
    return form.replace('{n}', () => number.format(n)).replace('{name}', () => name);
  };
}
