/** The largest difference, relative to the largest value. */
export function difference(got: Float32Array, wanted: Float32Array): number {
  let [error, largest] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    error = Math.max(error, Math.abs((got[i] as number) - (wanted[i] as number)));
    largest = Math.max(largest, Math.abs(wanted[i] as number));
  }
  return got.length === wanted.length ? error / Math.max(largest, 1e-6) : Infinity;
}
