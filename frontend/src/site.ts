import { installMenus } from "./ui/menus.js";
import { installOnce } from "./ui/once.js";
import { installShortcuts } from "./ui/shortcuts.js";
import { installTheme } from "./ui/theme.js";
import { installTimes } from "./ui/times.js";

installTheme();
installTimes();
installMenus();
installShortcuts();
installOnce();
