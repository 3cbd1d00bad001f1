import type { Bytes } from "../contract";

/** Hands a file to the steward; it is made here and goes nowhere else. */

export function save(bytes: Uint8Array | string, name: string, type = "application/octet-stream"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes as BlobPart], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers read the file after the click returns.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The ledger as the engine has it; it counts as saved from then on. */
export async function saveLedger({ app }: { app: { ledgerFile(): Promise<Bytes | null> } }): Promise<void> {
  const file = await app.ledgerFile();
  if (file) save(file.bytes, file.name);
}
