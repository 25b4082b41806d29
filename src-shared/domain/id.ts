import * as z from 'zod';

/** A row's number in the library's database. */
export const idSchema = z.int().positive();
export type Id = z.infer<typeof idSchema>;

/** Milliseconds since 1970, as `Date.now()` gives them. */
export const timeSchema = z.number();

/** A name people give to something: one line, not empty. */
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}]*$/u);

/** A path on this machine, as a person or the system's dialog gave it. */
export const pathSchema = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes('\0'));
