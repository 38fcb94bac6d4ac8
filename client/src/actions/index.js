/**
 * The second file: what is needed once the comments are there. Here the features are made and handed to one another.
 *
 *     extras ◀── browse ◀── threads ◀── compose ◀── posting ◀── comment        each room knows those to its left
 *
 * @import { Card } from '../reading/card.js'
 * @import { Actions, Context, Controller } from './context.js'
 * @import { Unread } from './threads/unread.js'
 */
import css from './actions.css';
import { loadAbout } from './about/load.js';
import { Announcer } from './announcer.js';
import { Arrivals } from './browse/arrivals.js';
import { Focus } from './browse/focus.js';
import { Navigation } from './browse/navigation.js';
import { Pagination } from './browse/pagination.js';
import { hold } from './browse/scrollAnchor.js';
import { Search } from './browse/search.js';
import { savedPlace } from './browse/savedPlace.js';
import { Deletions } from './comment/deletions.js';
import { Voting } from './comment/voting.js';
import { Auth } from './compose/auth.js';
import { Forms } from './compose/forms.js';
import { loadExtras, loadMore } from './extras/load.js';
import { guestKey } from './guest.js';
import { loadThreads } from './threads/load.js';
import { PostQueueView } from './posting/postQueueView.js';
import { Windows } from './windows.js';
import sentences from '../page/writingSentences.js';

export { css, sentences };

const TICK_MS = 30_000;

/** @param {Context} d @returns {Actions} */
export function createActions(d) {
  const announcer = new Announcer(d);
  const arrivals = new Arrivals(d, announcer);
  const place = savedPlace(d);
  const navigation = new Navigation(d, arrivals);
  navigation.isBack = !!place;
  /** @type {Unread | undefined} */
  let unread;
  /** @type {boolean | undefined} */
  let isBrought;
  const pagination = new Pagination(d, { announcer, arrivals, navigation, unread: { mark: (ids) => unread?.mark(ids) } });
  const search = new Search(d, { announcer, arrivals, pagination });
  const auth = new Auth(d);
  const forms = new Forms(d, { announcer, auth });
  const posts = new PostQueueView(d, { announcer, arrivals, forms });
  const deletions = new Deletions(d, announcer);
  const voting = new Voting(d, announcer, () => guestKey(d.api));
  const windows = new Windows(d);
  const again = () => navigation.again().then(() => search.again());
  let presses = 0;
  /** @param {(card: Card) => unknown} work @returns {(id: string) => void} */
  const onCard = (work) => (id) => {
    presses++;
    const card = d.list.cards.get(id);
    if (card) work(card);
  };
  /**
   * What another file does to a card. A failure to load it is shown there, and where it comes after another press, a
   * form may be open that must not be closed.
   *
   * @template T @param {() => Promise<T>} load @param {(loaded: T, card: Card) => unknown} work @returns {(id: string) => void}
   */
  const loading = (load, work) => (id) => {
    const press = ++presses;
    load().then(
      (loaded) => press === presses && onCard((card) => work(loaded, card))(id),
      () => onCard((card) => forms.showError(card, d.t('extras_error')))(id),
    );
  };
  /** @param {Card} card @param {1 | -1} way */
  const vote = (card, way) => {
    if (d.cards.isOwn(card.comment)) forms.showError(card, d.t('own_vote'));
    else if (auth.isUnknown) auth.askToSignIn();
    else voting.vote(card.comment.id, way);
  };
  const more = /** @type {() => Promise<import('./comment/deletions.js').More>} */ (loadMore);
  /** @type {Actions['commands']} */
  const commands = {
    goTo: (id) => navigation.goTo(id),
    search: (text) => search.search(text),
    loadMore: (parent) => pagination.load(parent),
    showAll: () => pagination.showAll(again),
    submit: () => d.view.form.element.requestSubmit(),
    reply: onCard((card) => forms.reply(card)),
    quote: loading(loadExtras, ({ quote }, card) => forms.reply(card, quote(card))),
    edit: loading(loadExtras, ({ openEditForm }, card) => openEditForm(card, d, { announcer, forms })),
    remove: loading(more, (loaded, card) => deletions.remove(loaded, card)),
    more: loading(more, ({ toggleMenu }, card) => toggleMenu(card, d, commands, announcer)),
    report: loading(more, ({ openReportForm }, card) => openReportForm(card, d, { announcer, forms })),
    up: onCard((card) => vote(card, 1)),
    down: onCard((card) => vote(card, -1)),
    token: (token) => loadMore().then((loaded) => loaded.exchange(d, token)),
  };
  const threads = {
    /** Brings what the fourth file has; after a failure the next change does. */
    async changed() {
      if (isBrought) return;
      isBrought = true;
      const loaded = await loadThreads().catch(() => /** @type {false} */ (isBrought = false));
      if (!loaded || d.signal.aborted) return;
      d.host.adoptStyles(loaded.css);
      const leaving = new loaded.Leaving(d, arrivals);
      if (leaving.before) unread = new loaded.Unread(d, { arrivals, pagination }, leaving.before);
      for (const one of [leaving, new loaded.Folding(d, arrivals), new loaded.LongTexts(d), new loaded.MoreReplies(d), new loaded.FormLink(d), new loaded.Identity(d), loaded.keyboard(d), loaded.standing(d), unread]) {
        if (!one) continue;
        controllers.push(one);
        one.start();
      }
      if (place) loaded.goBack(d, place, { navigation, pagination });
    },
  };
  /** @type {unknown} */
  let isUnusual;
  /** Those of the change before: each event of them brings others. @type {unknown} */
  let rules;
  /** What few pages need: a key that is none, a moderator who comes by, faces, slow mode, an end, a look before sending. */
  const aboutPage = () => {
    const given = d.host.getAttribute('discussion') ?? d.host.getAttribute('key');
    const isTaken = given?.startsWith(d.settings.place.key) ?? true;
    isUnusual ||= d.host.hasAttribute('faces') || !isTaken || d.thread.viewer?.moderator || d.thread.discussion.closes_at || d.thread.discussion.rules?.slow || d.thread.discussion.rules?.nudge === 'on';
    if (isUnusual) loadAbout().then(({ visit }) => visit(d, isTaken, hold), () => {});
  };
  const watchList = () => (d.list.refreshed = () => notify(/* @__KEY__ */ 'refreshed'));
  /** @type {number | undefined} */
  let tick;
  /** Times that say how long ago. */
  const ticking = {
    start: () => (tick = window.setInterval(() => document.hidden || d.list.tick(), TICK_MS)),
    stop: () => clearInterval(tick),
  };
  /** @type {Controller[]} */
  const controllers = [{ start: watchList, listReplaced: watchList }, { start: aboutPage, viewerChanged: aboutPage }, announcer, forms, arrivals, posts, deletions, voting, auth, navigation, search, new Focus(d), ticking, windows, threads];
  /** @param {keyof Controller} method @param {any} [given] */
  const notify = (method, given) => {
    for (const controller of controllers) controller[method]?.(given);
  };
  return {
    notify,
    changed(changes) {
      const settle = changes.length ? hold(d.list) : undefined;
      const isOtherMode = d.view.refresh(d.list, changes);
      notify('changed', changes);
      if (isOtherMode || rules !== (rules = d.thread.discussion.rules)) notify('viewerChanged');
      settle?.();
    },
    commands,
    keepPlace: (replace) => pagination.keepPlace(replace, again),
    transport: (mode) => windows.transport(mode),
  };
}
