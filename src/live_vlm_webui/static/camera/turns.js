// The order of this page's requests about the source, which can overtake each other on their way.

const PAGE = crypto.randomUUID?.() ?? String(Math.random()).slice(2); // randomUUID needs a secure context

let last = 0;

/** Return the number of a request that changes the source: the server refuses it if it has seen a later one. */
export const nextTurn = () => `${PAGE}.${(last += 1)}`;

/** Return whether no request that changes the source has been made after that with this number. */
export const isLast = (turn) => turn === `${PAGE}.${last}`;
