/**
 * The second file: what is needed once the comments are there. Here the features are made and handed to one another.
 *
 *     extras ◀── browse ◀── threads ◀── compose ◀── posting ◀── comment        each room knows those to its left
 *
 * @import { Card } from '../reading/card.js'
 * @import { Actions, Context, Controller } from './context.js'
 * @import { Extras } from './extras/load.js'
 * @import { Unread } from './threads/unread.js'
 */
import css from './actions.css';
import { loadAbout } from './about/load.js';
import { Announcer } from './announcer.js';
import { Auth } from './auth.js';
import { Arrivals } from './browse/arrivals.js';
import { keyboard } from './browse/keyboard.js';
import { Navigation } from './browse/navigation.js';
import { Pagination } from './browse/pagination.js';
import { preserveScroll } from './browse/scrollAnchor.js';
import { Search } from './browse/search.js';
import { savedPlace } from './browse/savedPlace.js';
import { copyLink } from './comment/clipboard.js';
import { Deletion } from './comment/deletion.js';
import { toggleMenu } from './comment/menu.js';
import { Voting } from './comment/voting.js';
import { Forms } from './compose/forms.js';
import { loadExtras } from './extras/load.js';
import { loadThreads } from './threads/load.js';
import { PostQueueView } from './posting/postQueueView.js';
import { Windows } from './windows.js';
import sentences from '../page/writingSentences.js';

export { css, sentences };

/** @param {Context} d @returns {Actions} */
export function createActions(d) {
  const announcer = new Announcer(d);
  const arrivals = new Arrivals(d, announcer);
  const place = savedPlace(d);
  const navigation = new Navigation(d, arrivals);
  navigation.isBack = !!place;
  /** @type {Unread | undefined} */
  let unread;
  let isBrought = false;
  const pagination = new Pagination(d, { announcer, arrivals, navigation, unread: { mark: (ids) => unread?.mark(ids) } });
  const search = new Search(d, { announcer, arrivals, pagination });
  const auth = new Auth(d);
  const forms = new Forms(d, { announcer, auth });
  const posts = new PostQueueView(d, { announcer, arrivals, forms });
  const deletion = new Deletion(d, announcer);
  const voting = new Voting(d, announcer);
  const windows = new Windows(d);
  const again = async () => {
    await navigation.again();
    search.again();
  };
  let presses = 0;
  /** @param {(card: Card) => unknown} work @returns {(id: string) => void} */
  const onCard = (work) => (id) => {
    presses++;
    const card = d.list.cards.get(id);
    if (card) work(card);
  };
  /**
   * What the third file does to a card. A failure to load it is shown there, and where it comes after another press, a
   * form may be open that must not be closed.
   *
   * @param {(extras: Extras, card: Card) => unknown} work @returns {(id: string) => void}
   */
  const withExtras = (work) => (id) => {
    const press = ++presses;
    loadExtras().then(
      (extras) => press === presses && onCard((card) => work(extras, card))(id),
      () => onCard((card) => forms.showError(card, d.t('extras_error')))(id),
    );
  };
  /** @type {Actions['commands']} */
  const commands = {
    goTo: (id) => navigation.goTo(id),
    search: (text) => search.search(text),
    loadMore: (parent) => pagination.load(parent),
    showAll: () => pagination.showAll(again),
    submit: () => d.view.form.element.requestSubmit(),
    reply: onCard((card) => forms.reply(card)),
    quote: withExtras(({ toSource }, card) => forms.reply(card, toSource)),
    edit: withExtras(({ toSource }, card) => forms.edit(card, toSource)),
    remove: onCard((card) => deletion.remove(card)),
    more: onCard((card) => toggleMenu(card, d, commands)),
    link: (id) => copyLink(id, d, announcer),
    report: withExtras(({ openReportForm }, card) => openReportForm(card, d, { announcer, forms })),
    up: (id) => voting.vote(id, 1),
    down: (id) => voting.vote(id, -1),
  };
  const threads = {
    /** Brings what the fourth file has; after a failure the next change does. */
    async changed() {
      if (isBrought) return;
      isBrought = true;
      const loaded = await loadThreads().catch(() => void (isBrought = false));
      if (!loaded || d.signal.aborted) return;
      d.host.adoptStyles(loaded.css);
      const leaving = new loaded.Leaving(d, arrivals);
      if (leaving.before) unread = new loaded.Unread(d, { arrivals, pagination }, leaving.before);
      for (const one of [leaving, new loaded.Folding(d, arrivals), new loaded.FormLink(d), ...(unread ? [unread] : [])]) {
        controllers.push(one);
        one.start();
      }
      if (place) loaded.goBack(d, place, { navigation, pagination });
    },
  };
  /** What few pages need: a key that is none, and a moderator who comes by. */
  const aboutPage = () => {
    const given = d.host.getAttribute('discussion') ?? d.host.getAttribute('key');
    const isTaken = given === null || given.startsWith(d.settings.place.key);
    if (!isTaken || d.thread.viewer?.moderator) loadAbout().then(({ correct }) => correct(d, isTaken), () => {});
  };
  /** @type {Controller[]} */
  const controllers = [{ start: aboutPage, viewerChanged: aboutPage }, announcer, forms, arrivals, posts, deletion, auth, navigation, search, keyboard, windows, threads];
  return {
    controllers,
    commands,
    preserveScroll,
    keepPlace: (replace) => pagination.keepPlace(replace, again),
    transport: (mode) => windows.transport(mode),
  };
}
