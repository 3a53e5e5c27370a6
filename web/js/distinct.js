// Names of things that may be called alike.
const SHORTEST = 4;

// What each item is to be called, by its id: a name that is there more than once gets the end of the id behind it.
export function distinctNames(items, nameOf = ({ name }) => name) {
  const alike = new Map();
  for (const item of items) {
    const name = nameOf(item);
    if (!alike.has(name)) alike.set(name, []);
    alike.get(name).push(item.id);
  }
  const called = [...alike].flatMap(([name, ids]) => ids.map((id) => [id, ids.length > 1 ? `${name} (…${endOf(id, ids)})` : name]));
  return new Map(called);
}

function endOf(id, ids) {
  let length = SHORTEST;
  while (length < id.length && ids.some((other) => other !== id && other.endsWith(id.slice(-length)))) length += 1;
  return id.slice(-length);
}
