"""The documentation site: pages that are generated from the code, and checks of the pages and of the built site.

`make docs` runs three steps. `python -m football_assets_tests.site write` copies `docs/` to `build/docs/` and adds the
pages of the reference. zensical builds `site/` by `zensical.toml`. `python -m football_assets_tests.site check` checks
it.
"""
