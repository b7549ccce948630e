/**
 * What one RESP client may make this node hold in memory before its first byte is understood.
 * Every limit is checked while bytes arrive, before anything is allocated for them.
 */
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../base/limits.ts";

/** The parser's limits. All are inclusive. */
export interface RespParserLimits {
  /** Arguments of one request, the command's name included. Default 1,048,576, as Redis. */
  readonly argumentsMax: number;
  /** Bytes of one argument. Default: the largest value and a key's worth of slack, so that a value that is slightly too large is named so. */
  readonly bulkBytesMax: number;
  /** Bytes of an inline request or of a length line. Default 65,536, as Redis. */
  readonly lineBytesMax: number;
  /** Bytes of all arguments of one request together. Default 256 MiB. */
  readonly requestBytesMax: number;
}

export const DEFAULT_RESP_PARSER_LIMITS: RespParserLimits = Object.freeze({
  argumentsMax: 1_048_576,
  bulkBytesMax: VALUE_BYTES_MAX + KEY_BYTES_MAX,
  lineBytesMax: 65_536,
  requestBytesMax: 256 * 1024 * 1024,
});
