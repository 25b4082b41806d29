/** The value of a key that a map has. Throws where it has not: a fault of the program. */
export function entryOf<K, V>(map: { get(key: K): V | undefined }, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`there is no entry for ${String(key)}`);
  return value;
}
