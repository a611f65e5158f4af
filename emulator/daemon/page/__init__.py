"""The live page: what a daemon's machine is and what goes over its sockets, in a browser.

`site` says what there is at which path, `http` speaks HTTP (h11), `gate` says who is let in; `watch` looks at the
machine while somebody looks at the page, and `log` keeps what is said meanwhile. The page itself is in static/: a file
of HTML, a style sheet, scripts without a build step.
"""
