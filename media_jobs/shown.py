"""The file extensions that a browser may show in its window; other files are only downloaded."""

from media_jobs import filetypes, recipes

SHOWN = (
    {file_type.extension: file_type.content_type for file_type in filetypes.TYPES}
    | recipes.VIDEO_TYPES
    | {
        file_format.name: file_format.content_type
        for recipe in recipes.RECIPES.values()
        for spec in recipe.renditions
        for file_format in spec.formats
    }
)
