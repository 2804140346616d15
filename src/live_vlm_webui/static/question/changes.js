// Changes of the session's settings: sent one after the other, and in force here before the server has confirmed them.

/** The changes on their way; `send(patch)` sends one and returns the session's settings, or throws. */
export class Changes {
  #outstanding = [];
  #turn = Promise.resolve();
  #send;

  constructor(send) {
    this.#send = send;
  }

  /** Return `settings` as they will be when all changes have arrived; what the server does not tell is left out. */
  over(settings) {
    const wanted = Object.assign({}, ...this.#outstanding);
    return { ...settings, ...pick(wanted, Object.keys(settings)) };
  }

  /**
   * Send a change after those before it: a server that answers two at once may take the later one first.
   *
   * @returns {Promise<object>} what the server made of the settings that `patch` names.
   * @throws {Failure} nothing was changed.
   */
  make(patch) {
    this.#outstanding.push(patch);
    const made = this.#turn.then(async () => {
      try {
        return pick(await this.#send(patch), Object.keys(patch));
      } finally {
        this.#outstanding.splice(this.#outstanding.indexOf(patch), 1);
      }
    });
    this.#turn = made.catch(() => {});
    return made;
  }
}

const pick = (from, names) => Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]));
