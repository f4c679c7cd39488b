/** Lists that are typed as words with commas between. */

export function listed(text: string): string[] {
  return [...new Set(text.split(/[,\n]/).map((word) => word.trim()).filter(Boolean))];
}
