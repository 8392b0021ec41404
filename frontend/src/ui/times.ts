import { moment } from "./words.js";

/** The server writes times in UTC; here they are on the clock of whoever reads. Without scripts they stay, and say so. */
export function installTimes(): void {
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    time.title = time.textContent ?? "";
    time.textContent = moment(time.dateTime);
  }
}
