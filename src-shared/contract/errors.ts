import * as z from 'zod';
import { problemSchema } from '../messages/problem.ts';

/**
 * The error of a refused request: a code of src-shared/messages and its sentence. Besides the codes of the domains:
 * `request.unknown`, `request.invalid` (`field` says where), `request.refused`, `request.tooLarge`, `connection.lost`.
 */
export const contractErrorSchema = problemSchema.extend({ field: z.string().optional() });
export type ContractError = z.infer<typeof contractErrorSchema>;
