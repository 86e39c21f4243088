"""Backups: the shop's database and media in a folder, and a shop made from them again.

`run` makes a backup and `restore` reads it; `manage.py backup`, `manage.py restore` and the
schedule call them. An app says in its `backup_rules` what no backup has, and what a restored shop
must not do again (`rules`).
"""
