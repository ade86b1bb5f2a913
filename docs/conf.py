# SPDX-License-Identifier: GPL-2.0-only
#
# For sphinx: "make docs" builds the pages into build/docs.

project = 'KVM introspection'
copyright = 'the authors, see the licences'

master_doc = 'index'
exclude_patterns = ['man']
highlight_language = 'none'
html_theme = 'alabaster'
html_copy_source = False
