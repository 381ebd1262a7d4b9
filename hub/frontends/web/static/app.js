// What pages do beyond links and forms: the bell, keys, toasts. Each page works without it.
"use strict";
