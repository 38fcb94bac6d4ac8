/**
 * What features see of the discussion that they belong to, and what it sees of them.
 *
 * @import { Api, Place } from '../live/api.js'
 * @import { Sort } from '../live/wire.js'
 * @import { Change, Thread } from '../live/thread.js'
 * @import { Stream } from '../live/stream.js'
 * @import { Mode, Transport } from '../live/transports.js'
 * @import { SafeStorage } from '../page/storage.js'
 * @import { Translate } from '../page/strings.js'
 * @import { CardContext } from '../reading/card.js'
 * @import { List } from '../reading/list.js'
 * @import { View } from '../reading/view.js'
 *
 * @typedef {object} Settings
 * @property {Place} place
 * @property {string} language
 * @property {Sort} sort
 * @property {'top' | 'bottom'} composer
 * @property {import('../page/time.js').Way} time
 * @property {boolean} [isShortDate] Whether dates are `dd/mm/yy` in every language.
 * @property {string} [timezone]
 * @property {string} [heading]
 * @property {number} headingLevel
 * @property {number} max Comments of a page.
 * @property {number} depth How far replies are indented.
 * @property {string} [live] 'off' where the page begins paused.
 * @property {boolean} isAnnounced
 * @property {boolean} isCredentialed
 * @property {string} [tokenEndpoint]
 *
 * @typedef {object} Context A discussion. Features read its fields and call its methods, and write none of them.
 * @property {HTMLElement & {adoptStyles: (css: string) => void, hasMoved: boolean}} host The element of the page; whether the reader has done anything yet.
 * @property {ShadowRoot | HTMLElement} root
 * @property {Settings} settings
 * @property {AbortSignal} signal Aborted once the discussion is closed.
 * @property {SafeStorage} storage
 * @property {Api} api
 * @property {Thread} thread Another one after everything was read anew.
 * @property {View} view
 * @property {{fill: (element: HTMLElement) => void}} mount Where the view stands.
 * @property {List} list As `thread`.
 * @property {CardContext} cards
 * @property {Translate} t
 * @property {boolean} isPaused
 * @property {number} unseen
 * @property {(count: number) => void} setUnseen
 * @property {(token: string | null) => Promise<void>} setToken
 * @property {{load: () => Promise<void>}} loader
 * @property {(name: string, detail: object, isCancelable?: boolean) => boolean} emit Whether the page lets it go on.
 * @property {{changed: (changes: Change[]) => void, typing: () => void, stream: Stream, transports: Record<Mode, Transport>}} live
 *
 * @typedef {object} Controller A feature; `index.js` has all, and the discussion knows none by name.
 * @property {(context: Context) => void} [start] Once, when all controllers are made.
 * @property {(changes: Change[]) => void} [changed] In one pass for all of them; without any, something around them changed.
 * @property {() => void} [refreshed] Comments got a place, or what stands around them is another: `list.refresh` was called.
 * @property {() => void} [listReplaced] The comments were read anew: thread, list and cards are others.
 * @property {() => void} [viewerChanged] Who the reader is, or whether one may write here; also after `listReplaced`.
 * @property {() => void} [stop] The discussion closes.
 *
 * @typedef {object} Actions What the second file brings.
 * @property {(method: keyof Controller, given?: any) => void} notify Calls this of each controller that has it.
 * @property {(changes: Change[]) => void} changed Shows what the thread changed, without moving what is read, and tells the controllers.
 * @property {Record<string, (id: any) => any>} commands What cards, the form and the page ask for.
 * @property {(replace: () => void) => Promise<void>} keepPlace Replaces the list, and finds the place again.
 * @property {(mode: Mode) => Promise<Transport>} transport A way to receive that few need.
 */

export {};
