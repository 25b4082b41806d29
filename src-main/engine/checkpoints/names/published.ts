/**
 * The canonical names used inside: those of published diffusers folders. transformers 5 dropped the text encoder's
 * `text_model.`, and diffusers before 0.12 named the VAE's attention otherwise; both are read as the published form.
 */
export function publishedTextName(name: string): string | undefined {
  // Old transformers saved this constant row of numbers too.
  if (name.endsWith('embeddings.position_ids')) return undefined;
  return /^(encoder|embeddings|final_layer_norm)\./.test(name) ? `text_model.${name}` : name;
}

const oldVaeAttention: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

export function publishedVaeName(name: string): string {
  return name.replace(
    /(\.attentions\.\d+)\.(query|key|value|proj_attn)\./,
    (_, attention: string, old: string) => `${attention}.${oldVaeAttention[old]}.`,
  );
}
