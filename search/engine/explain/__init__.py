"""Why a picture matched: heat over pictures and meshes, matching places, and how true it is."""
