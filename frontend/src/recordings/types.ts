/** What the API says about a recording. */
export interface RecordingInfo {
  readonly id: string;
  readonly terminal: string;
  readonly name: string;
  readonly state: "recording" | "complete" | "full" | "stopped";
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly size_bytes: number;
  readonly duration_seconds: number;
  /** Where long pauses are cut; null: not known. */
  readonly played_seconds: number | null;
  readonly missing_bytes: number;
  readonly links: { readonly self: string; readonly asciicast: string; readonly page: string };
}
