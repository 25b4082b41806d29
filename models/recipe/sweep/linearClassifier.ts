/** Full-batch steps, their size, and what holds the weights small. */
const [steps, rate, decay] = [300, 20, 1e-4];

export interface Example {
  readonly label: number;
  readonly vector: Float32Array;
}

/**
 * Multinomial logistic regression (Bishop 2006, section 4.3.4) on standardised features, by gradient descent: deterministic.
 * Labels are 0, 1, … Returns the label of a vector.
 */
export function fitClassifier(examples: readonly Example[]): (vector: Float32Array) => number {
  const size = examples[0]?.vector.length ?? 0;
  const labels = 1 + Math.max(...examples.map(({ label }) => label));
  const mean = new Float64Array(size);
  const variance = new Float64Array(size);
  for (const { vector } of examples) add(mean, vector, 1 / examples.length);
  for (const { vector } of examples)
    for (let i = 0; i < size; i++)
      (variance[i] as number) += ((vector[i] as number) - (mean[i] as number)) ** 2 / examples.length;
  const standardised = (vector: Float32Array): Float64Array =>
    Float64Array.from(
      vector,
      (value, i) => (value - (mean[i] as number)) / Math.sqrt(size * ((variance[i] as number) + 1e-8)),
    );

  const inputs = examples.map(({ vector }) => standardised(vector));
  // The last weight is the bias.
  const weights = Array.from({ length: labels }, () => new Float64Array(size + 1));
  const logits = (input: Float64Array): number[] =>
    weights.map((row) =>
      input.reduce((sum, value, i) => sum + value * (row[i] as number), row[size] as number),
    );
  for (let step = 0; step < steps; step++) {
    const gradients = weights.map((row) => row.map((value) => decay * value));
    for (const [n, input] of inputs.entries()) {
      const likely = softmax(logits(input));
      for (const [label, gradient] of gradients.entries()) {
        const off = ((likely[label] as number) - Number(label === examples[n]?.label)) / inputs.length;
        add(gradient, input, off);
        (gradient[size] as number) += off;
      }
    }
    for (const [label, gradient] of gradients.entries()) add(weights[label] as Float64Array, gradient, -rate);
  }
  return (vector) => {
    const found = logits(standardised(vector));
    return found.indexOf(Math.max(...found));
  };
}

function softmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** `to` += `times` · `what`, as far as `what` goes. */
function add(to: Float64Array, what: Float32Array | Float64Array, times: number): void {
  for (let i = 0; i < what.length; i++) (to[i] as number) += times * (what[i] as number);
}
