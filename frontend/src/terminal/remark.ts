import type { ReactiveController, ReactiveControllerHost } from "lit";

/** How long it stays, in milliseconds. */
const STAYS = 4000;

/** A sentence over a terminal, which goes away by itself. */
export class Remark implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #announce: (text: string) => void;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ReactiveControllerHost, announce: (text: string) => void) {
    this.#host = host;
    this.#announce = announce;
    host.addController(this);
  }

  /** Empty: there is nothing to say. */
  get text(): string {
    return this.#text;
  }

  say(text: string): void {
    this.#show(text);
    this.#announce(text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(""), STAYS);
  }

  hostDisconnected(): void {
    clearTimeout(this.#timer);
  }

  #show(text: string): void {
    this.#text = text;
    this.#host.requestUpdate();
  }
}
