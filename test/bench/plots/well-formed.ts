/** Reads the XML of plots strictly, so that a test sees what a browser would refuse. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What stands in it, without its children's. */
  text: string;
}

const TOKEN = /<(\/?)([A-Za-z][\w-]*)((?:\s+[A-Za-z][\w-]*="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const ATTRIBUTE = /([A-Za-z][\w-]*)="([^"<]*)"/g;
const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };

/** All elements in the order in which they begin. Throws for whatever is not well-formed, and for more than one root. */
export function elementsOf(xml: string): readonly Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < xml.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(xml);
    if (match === null) throw new Error(`not well-formed: ${xml.slice(at, at + 60)}`);
    const [, closing, name = "", attributes = "", empty, text] = match;
    const parent = open.at(-1);
    if (text !== undefined) {
      if (parent !== undefined) parent.text += decoded(text);
      else if (text.trim() !== "") throw new Error(`text outside the root: ${text}`);
    } else if (closing === "/") {
      if (open.pop()?.name !== name) throw new Error(`</${name}> ends ${parent?.name}`);
    } else {
      if (parent === undefined && elements.length > 0) throw new Error(`a second root: ${name}`);
      const element = { name, attributes: attributesOf(attributes), text: "" };
      elements.push(element);
      if (empty === "") open.push(element);
    }
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)?.name}> does not end`);
  return elements;
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(ATTRIBUTE)) {
    if (Object.hasOwn(found, name)) throw new Error(`twice: ${name}`);
    found[name] = decoded(value);
  }
  return found;
}

function decoded(text: string): string {
  return text.replace(/&[^;]*;?/g, (entity) => {
    const character = ENTITIES[entity];
    if (character === undefined) throw new Error(`not an entity: ${entity}`);
    return character;
  });
}
