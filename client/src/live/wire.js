/**
 * The objects of the wire, version 1, as types.
 *
 * @typedef {{id: string, name: string, badge: string | null}} Author
 * @typedef {{up: number, down: number}} Votes
 * @typedef {{type: string, [field: string]: any}} Node A block or an inline of a document tree.
 *
 * @typedef {object} Comment A tombstone (removed, deleted) has neither author nor body.
 * @property {string} id
 * @property {string | null} parent_id
 * @property {Author | null} author
 * @property {Node[] | null} body
 * @property {string} created_at
 * @property {string | null} edited_at
 * @property {'visible' | 'held' | 'removed' | 'deleted'} state
 * @property {Votes} votes
 * @property {number} reply_count
 * @property {boolean} pinned
 *
 * @typedef {object} Discussion
 * @property {string} site
 * @property {string} key
 * @property {string} [title]
 * @property {string} [url]
 * @property {'open' | 'held' | 'closed'} mode
 * @property {{who: 'all' | 'members' | 'nobody', slow?: number, nudge?: string}} [rules] Of servers that have them, and others besides; a new object with each change.
 * @property {string | null} [closes_at]
 * @property {number} comment_count
 * @property {string} epoch
 * @property {number} seq
 * @property {number} readers
 *
 * @typedef {{id: string, also?: string[], name: string, kind?: 'guest' | 'member' | 'staff', moderator: boolean}} Viewer `also` are other ids of the same person.
 * @typedef {{name_length: number, text_length: number, edit_seconds: number, depth: number}} Limits
 * @typedef {{comments: Comment[], next: string | null, replies: Record<string, string>, thread_counts?: Record<string, number>, votes: Record<string, number>, changed?: boolean}} Page
 * @typedef {Page & {discussion: Discussion, viewer: Viewer | null, limits: Limits, server_time: string, strings?: import('../page/strings.js').Language | null, badges?: Record<string, string>}} Snapshot
 *
 * @typedef {object} Event One change; it carries whole values, never a difference.
 * @property {number} seq
 * @property {string} kind
 * @property {string} at
 * @property {Comment} [comment]
 * @property {string} [comment_id]
 * @property {Votes} [votes]
 * @property {{mode: Discussion['mode'], rules?: Discussion['rules'], closes_at?: string | null, title?: string, url?: string}} [discussion]
 * @property {number} [comment_count]
 * @property {{id: string, reply_count: number}} [parent]
 * @property {Record<string, number>} [thread_counts]
 *
 * @typedef {object} Message A stream message; what each type carries is in the protocol.
 * @property {string} type
 * @property {string} [epoch]
 * @property {number} [seq]
 * @property {number} [heartbeat]
 * @property {number} [readers]
 * @property {number} [writing]
 * @property {number} [from]
 * @property {number} [to]
 * @property {number} [count]
 * @property {Event[]} [events]
 *
 * @typedef {Required<Pick<Message, 'from' | 'to' | 'count' | 'events'>>} Summary Some of the events `from` to `to`, in
 * which `count` comments were made.
 * @typedef {{epoch: string, events: Event[], more: boolean}} EventsPage
 * @typedef {{comment: Comment, seq?: number, token?: string}} Posted
 * @typedef {{epoch: string, seq: number}} Cursor
 * @typedef {'oldest' | 'newest' | 'top'} Sort
 */

export {};
