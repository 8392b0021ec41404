/** What `GET /sessions/{id}/stats` answers, as far as pages show it; `playground/sessions/stats.py` is the other side. */
export interface SessionStats {
  /** null: nobody has looked yet. */
  readonly sampled_at: string | null;
  /** false: its machines are gone, and this is what they used in all. */
  readonly live: boolean;
  readonly cpu: {
    readonly used_cores: number;
    readonly limit_cores: number;
    readonly burst_cores: number;
    readonly throttled: boolean;
    readonly seconds: number;
  };
  readonly credit: { readonly left_seconds: number; readonly limit_seconds: number } | null;
  readonly memory: {
    readonly used_bytes: number;
    readonly limit_bytes: number;
    readonly peak_bytes: number;
    readonly oom_kills: number;
  };
  readonly pids: { readonly used: number; readonly limit: number };
  readonly disk: { readonly used_bytes: number; readonly limit_bytes: number; readonly peak_bytes: number };
  readonly io: {
    readonly read_bytes: number;
    readonly written_bytes: number;
    readonly read_bytes_per_second: number;
    readonly written_bytes_per_second: number;
  };
  readonly network: {
    readonly received_bytes: number;
    readonly sent_bytes: number;
    readonly received_bytes_per_second: number;
    readonly sent_bytes_per_second: number;
    readonly used_bytes: number;
    readonly limit_bytes: number | null;
  };
}
