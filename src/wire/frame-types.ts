/**
 * The first byte of every frame between nodes, all of them in one place. A number is never given a second meaning.
 */

/** Raft messages. Droppable: Raft sends again. */
export const FRAME_RAFT = 1;
/** Forwarded client requests. */
export const FRAME_REQUESTS = 2;
/** Answers to them, on the channel the requests came on. */
export const FRAME_RESPONSES = 3;
/** A control-plane call. */
export const FRAME_CALL = 4;
/** Its answer, on the channel the call came on. */
export const FRAME_CALL_RESULT = 5;
/** Are you there? Answered by {@link FRAME_PONG} at once. */
export const FRAME_PING = 6;
export const FRAME_PONG = 7;
/** Change streams. */
export const FRAME_WATCH = 8;
/** The sender closes this link on purpose: its silence afterwards is no sign of death. */
export const FRAME_GOODBYE = 9;

/** First frame of a connection, from the dialling end. */
export const FRAME_HELLO = 16;
/** Answer to a hello: come in. */
export const FRAME_WELCOME = 17;
/** Answer to a hello: no, because. The connection is closed afterwards. */
export const FRAME_REFUSAL = 18;

/** A bulk stream announces itself: its number, whether it goes on from an earlier connection, its header. */
export const FRAME_BULK_OPEN = 32;
/** The receiver takes it, and tells how many bytes of it it has taken and digested. */
export const FRAME_BULK_ACCEPTED = 33;
/** A piece of the stream. */
export const FRAME_BULK_DATA = 34;
/** The receiver has digested so many bytes of the stream: a window more than that may be sent. */
export const FRAME_BULK_CREDIT = 35;
/** The sender has sent everything: so many bytes. */
export const FRAME_BULK_FINISH = 36;
/** The receiver's result; the end of a stream that went well. */
export const FRAME_BULK_RESULT = 37;
/** Either end gives up, with the reason; refuses a stream as well. */
export const FRAME_BULK_ABORT = 38;
