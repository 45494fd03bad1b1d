/* assets.h - the style and the script of the page, built in from page.css and page.js. */
#ifndef OLAC_REPORT_ASSETS_H
#define OLAC_REPORT_ASSETS_H

struct report_asset {
    const char *name, *text;
};

/* The last row has no name. */
extern const struct report_asset report_assets[];

#endif
