"""XMP packets, in sidecars and in photos: read keywords, add ours and remove them again."""
