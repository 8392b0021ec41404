import { refusalOf } from "../api/client.js";
import { LightElement } from "./light-element.js";

/** An element that does what a person asks of it, one thing at a time, and keeps what was refused. */
export class ActingElement extends LightElement {
  static override properties: Record<string, object> = { busy: { state: true }, problem: { state: true } };
  /** Something is being done. */
  declare protected busy: boolean;
  /** What was refused, in words; empty: nothing. */
  declare protected problem: string;

  constructor() {
    super();
    this.busy = false;
    this.problem = "";
  }

  /** Never raises what the server refuses. */
  protected async act(action: () => Promise<unknown>): Promise<void> {
    this.busy = true;
    this.problem = "";
    try {
      await action();
    } catch (error) {
      this.problem = refusalOf(error);
    }
    this.busy = false;
  }
}
