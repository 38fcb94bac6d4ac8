/**
 * Votes of the reader.
 *
 * @import { Announcer } from '../announcer.js'
 * @import { Context } from '../context.js'
 */
import * as commands from '../commands.js';
import { applyAnswer, setVote } from '../../live/thread.js';

export class Voting {
  #context;
  #announcer;

  /** @param {Context} context @param {Announcer} announcer */
  constructor(context, announcer) {
    this.#context = context;
    this.#announcer = announcer;
  }

  /** Votes, or takes the same vote back. @param {string} id @param {1 | -1} value */
  async vote(id, value) {
    const { api, cards, thread, list } = this.#context;
    try {
      const voted = await commands.vote(api, id, cards.vote(id) === value ? 0 : value);
      setVote(thread, id, voted.value);
      applyAnswer(thread, id, { votes: voted.votes }, voted.seq);
      list.update(id);
    } catch (error) {
      this.#announcer.error(error);
    }
  }
}
