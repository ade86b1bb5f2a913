# SPDX-License-Identifier: GPL-2.0-only
#
# The pages in docs/ as HTML; the tables of docs/vendors.rst are made anew
# before. The manual pages are read with man.

.PHONY: docs

docs:
	@mk/install-packages docs
	@docs/vendors write >/dev/null
	@printf '  %-7s %s\n' SPHINX build/docs/index.html
	@sphinx-build -q -n -W --keep-going -d build/docs/.doctrees -b html \
		docs build/docs
