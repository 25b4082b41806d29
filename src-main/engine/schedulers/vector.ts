/** Σ coefficient·array, summed in double and rounded to f32 once. All arrays have the length of the first. */
export function combine(
  ...terms: readonly (readonly [coefficient: number, values: Float32Array])[]
): Float32Array {
  const first = terms[0];
  if (!first) throw new Error('combine: no terms');
  const result = new Float32Array(first[1].length);
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (const [coefficient, values] of terms) sum += coefficient * (values[i] as number);
    result[i] = sum;
  }
  return result;
}

export function clamp(values: Float32Array, limit: number): Float32Array {
  return values.map((value) => Math.min(limit, Math.max(-limit, value)));
}
