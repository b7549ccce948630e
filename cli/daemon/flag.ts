/**
 * The kinds of value a `crema-node` setting can have, and how each is read.
 * A setting is text on the command line and in the environment, JSON in a file: all three are read here, once, so that
 * a bad value is refused in the same words wherever it came from.
 */
import { parseAddress, parseFsync } from "../../src/index.ts";
import { formatByteSize, parseByteSize } from "../byte-size.ts";
import { formatDuration, parseDurationMs } from "../duration.ts";
import { UsageError } from "../usage-error.ts";

/** One setting of the daemon. `Value` is what the program works with. */
export interface Flag<Value> {
  /** What stands behind the flag in the help text; null for a switch, which takes no value. */
  readonly placeholder: string | null;
  readonly meaning: string;
  /** The default as people read it; null when there is none. */
  readonly defaultText: string | null;
  /** May be given more than once. */
  readonly repeats: boolean;
  /** Reads one or more texts. `origin` names where they came from (`--port`, `CREMA_PORT`, ...) in the error. */
  read(texts: readonly string[], origin: string): Value;
}

export interface FlagWords {
  readonly meaning: string;
  readonly defaultText?: string;
  readonly placeholder?: string;
}

/** Seeds: comma-separated, repeatable. The texts are kept as given; the node resolves them again and again. */
export function addressesFlag(words: FlagWords): Flag<readonly string[]> {
  return {
    ...described(words, "host:port"),
    repeats: true,
    read(texts, origin) {
      const addresses = texts
        .flatMap((text) => text.split(","))
        .map((text) => text.trim())
        .filter((text) => text !== "");
      if (addresses.length === 0) throw new UsageError(`${origin} needs a value: host:port`);
      for (const address of addresses) checkAddress(address, origin);
      return addresses;
    },
  };
}

/** `host` or `host:port`. */
export function addressFlag(words: FlagWords): Flag<string> {
  return singleValue(described(words, "host[:port]"), (text, origin) => {
    checkAddress(text, origin);
    return text;
  });
}

/** An interface or name to bind, without a port. */
export function hostFlag(words: FlagWords): Flag<string> {
  return singleValue(described(words, "host"), (text, origin) => {
    const asAddress = text.includes(":") ? `[${text}]` : text;
    if (parseAddress(asAddress, 1) === null)
      throw new UsageError(`${origin}: '${text}' is not a host name or address`);
    return text;
  });
}

export function integerFlag(least: number, most: number, words: FlagWords): Flag<number> {
  return singleValue(described(words, "n"), (text, origin) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < least || value > most) {
      throw new UsageError(`${origin}: '${text}' is not an integer ${least} .. ${most}`);
    }
    return value;
  });
}

/** A port; 0 = any free one. */
export function portFlag(words: FlagWords): Flag<number> {
  return integerFlag(0, 65_535, { placeholder: "port", ...words });
}

export function numberFlag(least: number, most: number, words: FlagWords): Flag<number> {
  return singleValue(described(words, "n"), (text, origin) => {
    const value = Number(text);
    if (!/^-?\d+(\.\d+)?$/.test(text) || value < least || value > most) {
      throw new UsageError(`${origin}: '${text}' is not a number ${least} .. ${most}`);
    }
    return value;
  });
}

/** A duration; the value is in milliseconds. `leastMs`: less is allowed only as 0. */
export function durationFlag(mostMs: number, words: FlagWords, leastMs = 0): Flag<number> {
  return singleValue(described(words, "duration"), (text, origin) => {
    const valueMs = parseDurationMs(text);
    if (valueMs !== null && valueMs !== 0 && valueMs < leastMs)
      throw new UsageError(`${origin}: '${text}' is not 0 and less than ${formatDuration(leastMs)}`);
    if (valueMs === null || valueMs > mostMs) {
      throw new UsageError(
        `${origin}: '${text}' is not a duration 0 .. ${formatDuration(mostMs)}, like 250ms, 25s or 10m`,
      );
    }
    return valueMs;
  });
}

/** A byte size, or 0 where that means none; the value is in bytes. */
export function byteSizeFlag(leastBytes: number, mostBytes: number, words: FlagWords): Flag<number> {
  return singleValue(described(words, "size"), (text, origin) => {
    const bytes = parseByteSize(text);
    const isNone = bytes === 0 && words.defaultText === "0";
    if (bytes === null || bytes > mostBytes || (bytes < leastBytes && !isNone)) {
      const least = leastBytes === 0 ? "0" : formatByteSize(leastBytes);
      const none = words.defaultText === "0" ? "0 and not " : "";
      throw new UsageError(
        `${origin}: '${text}' is not ${none}a size ${least} .. ${formatByteSize(mostBytes)}, like 512kb, 64mb or 1gb`,
      );
    }
    return bytes;
  });
}

export function fsyncFlag(words: FlagWords): Flag<string> {
  return singleValue(described(words, "always|interval:<ms>|never"), (text, origin) => {
    if (parseFsync(text) === null)
      throw new UsageError(`${origin}: '${text}' is not always, never or interval:<ms>, like interval:100`);
    return text;
  });
}

export function textFlag(charactersMax: number, words: FlagWords): Flag<string> {
  return singleValue(described(words, "text"), (text, origin) => {
    if (text.length > charactersMax)
      throw new UsageError(`${origin}: longer than ${charactersMax} characters`);
    return text;
  });
}

export function choiceFlag<Choice extends string>(
  choices: readonly Choice[],
  words: FlagWords,
): Flag<Choice> {
  return singleValue(described(words, choices.join("|")), (text, origin) => {
    const chosen = choices.find((choice) => choice === text);
    if (chosen === undefined)
      throw new UsageError(`${origin}: '${text}' is not one of ${choices.join(", ")}`);
    return chosen;
  });
}

/** True when named on the command line; `true` or `false` elsewhere. */
export function switchFlag(words: FlagWords): Flag<boolean> {
  const flag = singleValue(described(words, ""), (text, origin) => {
    if (["true", "1", "yes", "on"].includes(text.toLowerCase())) return true;
    if (["false", "0", "no", "off"].includes(text.toLowerCase())) return false;
    throw new UsageError(`${origin}: '${text}' is neither true nor false`);
  });
  return { ...flag, placeholder: null };
}

function described(words: FlagWords, placeholder: string): Omit<Flag<never>, "read" | "repeats"> {
  return {
    placeholder: words.placeholder ?? placeholder,
    meaning: words.meaning,
    defaultText: words.defaultText ?? null,
  };
}

function singleValue<Value>(
  description: Omit<Flag<never>, "read" | "repeats">,
  readOne: (text: string, origin: string) => Value,
): Flag<Value> {
  return {
    ...description,
    repeats: false,
    read(texts, origin) {
      if (texts.length > 1)
        throw new UsageError(`${origin} was given ${texts.length} times; it takes one value`);
      const text = (texts[0] ?? "").trim();
      if (text === "") throw new UsageError(`${origin} needs a value: ${description.placeholder}`);
      return readOne(text, origin);
    },
  };
}

function checkAddress(text: string, origin: string): void {
  if (parseAddress(text, 1) === null) throw new UsageError(`${origin}: '${text}' is not host:port`);
}
