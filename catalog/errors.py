"""What can be wrong with an upload or a query, as sentences for its reader.

One table for all rooms: the engine and the services raise codes, people read these.
A code without a sentence fails a test.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

SENTENCES = {
    # files
    "empty_file": _("The file is empty."),
    "file_missing": _("Send a file."),
    "not_a_mesh": _("This is not a mesh: it looks like %(looks_like)s."),
    "unknown_format": _(
        "Files of this kind cannot be read. Send STL, 3MF, OBJ, PLY, GLB, glTF, OFF or STEP."
    ),
    "needs_extra": _(
        "STEP files need an optional package that is not installed here; ask whoever keeps "
        "this server, or send the part as STL."
    ),
    "malformed": _("The file says it is %(format)s but breaks that format's rules."),
    "truncated": _(
        "The file is cut short: it announces %(claimed)s triangles and holds %(found)s."
    ),
    "no_triangles": _("The file holds no triangles."),
    "bad_numbers": _("None of the %(found)s triangles has coordinates that are numbers."),
    "all_degenerate": _("Every triangle is a line or a point: the mesh has no surface."),
    "too_many_triangles": _("The file holds %(found)s triangles; at most %(limit)s are read."),
    "too_much_memory": _("Reading the file takes more memory than one file is allowed."),
    "took_too_long": _("Reading the file takes longer than one file is allowed."),
    "outside_reference": _("The file refers to other files; send one that holds everything."),
    "archive_unsafe": _("The archive is not read: %(reason)s."),
    "parser_died": _("The file makes the program that reads it stop."),
    "blank_picture": _("Nothing of it can be seen: there is no surface, or only one even colour."),
    # pictures
    "image_missing": _("Send a picture."),
    "not_a_picture": _("This is not a picture. Send JPEG, PNG, WebP, BMP, TIFF or GIF."),
    "truncated_picture": _("The picture is cut short or damaged."),
    "too_many_bytes": _("The picture is larger than pictures may be."),
    "picture_too_large": _("The picture is larger than %(most)s MB."),
    "too_many_pixels": _("The picture has more than %(limit)s pixels."),
    "too_small": _(
        "The picture is %(width)s × %(height)s pixels; it needs at least %(limit)s each way."
    ),
    # inspections
    "no_object": _("Nothing in the photo stands out from the ground. Change the ground or light."),
    "no_fit": _("What the photo shows does not look like this part from anywhere."),
    "bad_mask": _("The corrected outline is not of this photo, or marks nothing or everything."),
    "bad_rectangle": _(
        "A rectangle is {x, y, width, height} in pixels, within the photo of %(width)s × "
        "%(height)s and at least %(least)s each way."
    ),
    "bad_pose": _(
        "A pose is {rotation, translation, focal}: a turn of 3 × 3 numbers, millimetres in front "
        "of the camera, pixels; and the part is seen in the photo by it."
    ),
    "correction_missing": _("Send a mask, a rectangle, a pose or reset."),
    "photo_unknown": _("This inspection has no such photo."),
    "bad_segmenter": _(
        "The network that finds pieces cannot be used; ask whoever keeps this server."
    ),
    "bad_sheet": _("The markers in the photo do not lie as on the printed sheet."),
    "photos_count": _("An inspection takes 1 to %(limit)s photos; %(found)s were sent."),
    "inspection_too_long": _("The inspection takes longer than %(seconds)s seconds."),
    "inspection_unknown": _("There is no such inspection."),
    "batch_unknown": _("There is no such batch."),
    "batch_one": _("Send either an archive or photos."),
    "batch_empty": _("There are no photos in the archive."),
    "batch_list": _(
        "The list of pieces cannot be read. Each needs a number or part_id, and photos that name "
        "files that were sent."
    ),
    "batch_too_large": _("There are %(found)s pieces; one batch takes %(most)s."),
    "batch_no_part": _("No part, or more than one, has the number that “%(number)s” begins with."),
    "inspection_running": _("This inspection is at work already."),
    "inspection_died": _("The worker stopped %(attempts)s times while inspecting this."),
    "part_failed": _("This part could not be processed, so nothing can be compared with it."),
    "no_surface": _("The part has no surface to inspect."),
    "stale_preparation": _("What was kept for inspections of this part is out of date."),
    "not_solid": _("The part's surface is not closed, so no defects of it can be simulated."),
    "no_place": _("The part has no place for this kind of defect."),
    "bad_box": _("A crop runs from left to right and from top to bottom, within the picture."),
    # queries
    "text_missing": _("Write what to look for."),
    "text_too_long": _("The text has %(length)s characters; at most %(most)s are searched."),
    "k_out_of_range": _("k is %(k)s; ask for 1 to %(most)s."),
    "alpha_out_of_range": _("alpha is %(alpha)s; it runs from 0 to 1."),
    "engine_none": _("No engine in use here looks at pictures: ask by words, or by a mesh."),
    "engine_unknown": _("There is no engine “%(engine)s” for this; choose from: %(known)s."),
    "verify_no_picture": _("Only a search with a picture can be verified: send image."),
    "verify_busy": _("Other searches are being verified; these are the parts as they were found."),
    "verify_no_piece": _("No piece could be told from its ground, so no outline was compared."),
    "verify_not_prepared": _(
        "The parts found are not prepared for this yet; it happens by itself."
    ),
    "verify_marked": _("Your marks say more than the photo does, so its outline was not compared."),
    "marks_too_many": _("Too many parts are marked: %(found)s; mark at most %(most)s each way."),
    "marks_both": _("A part is marked as more and as less like this at once: %(part)s."),
    "engine_changed": _(
        "The engine “%(engine)s” no longer makes the vectors it was chosen with: its weights or "
        "its settings were changed. Restore them, or install and activate it anew."
    ),
    "engine_gone": _(
        "The engine “%(engine)s” is in use, and the configuration no longer describes it."
    ),
    "engine_undescribed": _(
        "The configuration no longer describes the engine “%(engine)s”: describe it again, or "
        "remove its vectors."
    ),
    "engine_not_configured": _(
        "The configuration describes no engine “%(engine)s”; it knows: %(known)s."
    ),
    "engine_not_installed": _("The engine “%(engine)s” is not installed."),
    "engine_not_filled": _(
        "The engine “%(engine)s” is not ready: %(done)s of %(total)s parts are done."
    ),
    "engine_lacks_parts": _("Parts that would not be found by the engine “%(engine)s”: %(n)s."),
    "engine_not_filling": _("The engine “%(engine)s” is not being filled."),
    "engine_not_in_use": _("The engine “%(engine)s” is not in use."),
    "engine_in_use": _("The engine “%(engine)s” is in use; put another one to use first."),
    "engine_last": _("The engine “%(engine)s” is the only one in use."),
    "engine_removing": _("The engine “%(engine)s” is being removed; wait until that is done."),
    "action_unknown": _("There is no such action."),
    "selection_moved": _("The engines in use were changed meanwhile; look again."),
    "selection_first": _("The engines in use were never changed: there is nothing to go back to."),
    "selection_unknown": _("There is no selection number %(revision)s."),
    "kind_unknown": _("There is no search of the kind “%(kind)s”."),
    "classify_one": _("Send one of these: a mesh as file, a picture as image, or a part_id."),
    "space_unknown": _("There is no space “%(space)s”."),
    # evaluation
    "number_out_of_range": _("%(name)s is %(value)s; it runs from %(least)s to %(most)s."),
    "choice_unknown": _("There is no “%(name)s” to choose; choose from: %(known)s."),
    "nothing_to_ask": _(
        "There is nothing to measure by: no queries with judged parts, and no category with parts "
        "that people filed."
    ),
    "engine_empty": _("The engine “%(engine)s” holds no parts yet: it has to be filled first."),
    "evaluation_died": _("The worker stopped %(attempts)s times while working on this."),
    "search_unknown": _("That search is not remembered; ask again and judge what is found."),
    "search_not_kept": _(
        "The picture or file of that search was not kept, so its hits cannot be judged."
    ),
    "not_a_hit": _("That part was not among the hits of that search."),
    "staff_only": _("This is for the staff."),
    "judgement_incomplete": _("Send part, and either search and thumb, or text and grade."),
    "evaluation_cancelled": _("This evaluation was cancelled."),
    "evaluation_over": _("This evaluation is over already."),
    "judgements_not_text": _(
        "The file of judgements is not a text in UTF-8. A spreadsheet writes one as “CSV UTF-8”."
    ),
    "judgements_busy": _(
        "Somebody else brings in the set “%(query_set)s” at this moment; try again when it is done."
    ),
    "judgements_no_header": _(
        "The table's first line must name its columns: text, picture or mesh, and part; grade if "
        "there is one."
    ),
    "judgements_no_table": _("There is no file of judgements among the files."),
    "judgements_too_many": _("The file holds more than %(most)s judgements."),
    "judgements_too_large": _("A file is larger than %(most)s MB."),
    "judgements_none": _("Nothing of it can be used. %(first)s"),
    "judgements_no_file": _("The table names the file “%(name)s”, which was not sent with it."),
    "line_not_json": _("This line is not a JSON object."),
    "line_bad_grade": _("The grade is not a number from 0 to 10."),
    "line_other_grade": _("An earlier line gives the same part another grade; that one holds."),
    "line_not_text": _("It holds characters that are no text."),
    "line_no_part": _("No part is named."),
    "line_no_query": _("Nothing is asked: there are no words, no picture and no mesh."),
    "line_too_long": _("The words are longer than 500 characters."),
    "line_not_qrels": _("This line does not have the four columns of qrels."),
    "line_no_topic": _(
        "Nothing tells what the query with this id is: there is no such topic or picture."
    ),
    "line_none_known": _("None of its right parts is in the catalogue."),
    "evaluation_unknown": _("There is no such evaluation."),
    # explanations
    "explain_engine": _(
        "The engine “%(engine)s” looks at no pictures, so it has nothing to show; choose from: "
        "%(known)s."
    ),
    "why_question": _("The question cannot be asked again: %(why)s"),
    "explain_no_words": _("The engine “%(engine)s” knows no words."),
    "part_not_embedded": _("The engine “%(engine)s” has not looked at this part yet."),
    # indices, out and in
    "export_folder": _("%(folder)s holds other files; name a folder that is new or empty."),
    "export_busy": _("Another index_export is writing to %(folder)s."),
    "import_unknown": _("%(folder)s is not a folder that index_export wrote, or lacks a file."),
    "import_damaged": _("The files of “%(name)s” are not those that were written."),
    "import_space": _(
        "“%(name)s” holds vectors of the space %(space)s, which no engine in use or installed "
        "here has."
    ),
    "import_partial": _(
        "“%(name)s” cannot be taken back: only plain indices of every view can, not pooled ones "
        "and not snapshots."
    ),
    "snapshot_format": _("This is not an index file that can be read here."),
    # the catalogue
    "part_unknown": _("There is no such part."),
    "duplicate_unknown": _("There is no such pair of parts, or one of them is in the trash."),
    "duplicate_trash": _(
        "Only one of the pair's two parts can go to the trash, and only when they are duplicates."
    ),
    "part_one": _("Name the part by part_id or by number, by one of them."),
    "number_ambiguous": _("More than one part has the number %(number)s; use part_id."),
    "part_not_ready": _("This part is still being processed."),
    "part_busy": _("A worker is on this part right now."),
    "name_missing": _("Give it a name."),
    "category_exists": _("There is a category “%(name)s” already."),
    "field_unknown": _("These cannot be changed: %(fields)s."),
    "scope_unknown": _("There are no such scopes: %(scopes)s."),
    "scope_missing": _("Name at least one scope."),
    "no_such_api": _("There is nothing at %(path)s."),
    # our side
    "weights_missing": _("The engine's weights are missing; ask whoever keeps this server."),
    "weights_changed": _("The engine's weights are damaged; ask whoever keeps this server."),
    "manifest_unreadable": _("The engine's weights are damaged; ask whoever keeps this server."),
    "weights_not_found": _(
        "The weights of the engine “%(engine)s” are not on this server. Whoever keeps it gets them "
        "with: manage.py engine_fetch %(engine)s"
    ),
    "weights_wrong": _("The engine's weights cannot be used: %(detail)s"),
    "encoder_not_installed": _(
        "The engine needs packages that are not installed on this server: %(command)s"
    ),
    "model_unknown": _("There is no network called “%(model)s”."),
    "pretrained_unknown": _(
        "There are no weights called “%(pretrained)s” for %(model)s; choose from: %(known)s."
    ),
    "weights_offline": _("The weights could not be fetched: %(detail)s"),
    "fetch_needless": _("The engine “%(engine)s” has no weights to fetch: they came with it."),
    "calibration_needless": _(
        "Only large engines are calibrated here; “%(engine)s” is not one of them."
    ),
    "calibration_few": _(
        "Too few parts to calibrate with: %(found)s are usable, %(needed)s are needed."
    ),
    "export_missing": _(
        "The engine was not prepared for the runtime “%(runtime)s”: manage.py engine_fetch NAME "
        "--measure does that."
    ),
    "export_failed": _("The engine's network cannot be exported: %(detail)s"),
    "way_differs": _(
        "It is not known whether the engine answers the same with the runtime “%(runtime)s”: run "
        "manage.py engine_fetch NAME --measure."
    ),
    "device_missing": _("This server has no device “%(device)s”."),
    "unknown_encoder": _("The configuration names an encoder that does not exist."),
    "encoders_away": _(
        "Nothing that can look at the query is running right now; try again in a moment."
    ),
    "encoders_late": _("Looking at the query took too long; try again in a moment."),
    "encoders_full": _("Too many queries are waiting already; try again in a moment."),
    "encoders_broker": _("Queries cannot be passed on right now; try again in a moment."),
    "encoders_differ": _(
        "The workers are of another version than this server; try again in a moment."
    ),
    "encoders_failed": _("Looking at the query failed on our side; ask whoever keeps this server."),
    "storage_away": _("The file cannot be kept or read right now; try again in a moment."),
    "database_away": _("The database does not answer right now; try again in a moment."),
    "machine_trouble": _("The machine had trouble: %(detail)s"),
    "gave_up": _("This was tried %(attempts)s times without success."),
    "gave_up_on": _("This was tried %(attempts)s times without success: %(detail)s"),
    "worker_died": _("The worker stopped %(attempts)s times while working on this part."),
    "internal": _("Something went wrong on our side."),
}

# Words that stand for a parameter's value in a sentence.
WORDS = {
    "looks_like": {
        "html": _("a web page"),
        "pdf": _("a PDF"),
        "image": _("a picture"),
        "program": _("a program"),
        "archive": _("an archive"),
        "text": _("plain text"),
        "unknown": _("something else than its name says"),
    },
    "reason": {
        "not_a_zip": _("it is not a zip file"),
        "too_many_members": _("it holds too many files"),
        "too_large": _("it unpacks to more than is allowed"),
        "damaged": _("it is damaged"),
        "path": _("it holds a file with an unsafe path"),
        "link": _("it holds a link"),
        "duplicate": _("it holds two files of one name"),
        "encrypted": _("it is encrypted"),
        "compression": _("it is packed in a way that is not read"),
        "doctype": _("its XML declares a document type"),
    },
}


class ServiceError(Exception):
    """Something a caller asked for that cannot be done: a code, its parameters, an HTTP status."""

    def __init__(self, code: str, *, status: int = 400, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
        self.status = status

    def __str__(self) -> str:
        return sentence(self.code, self.params)


def _plain(value: Any) -> Any:
    """30 instead of 30.0: a limit is a float in the configuration, no more exact for it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def sentence(code: str, params: Mapping[str, Any]) -> str:
    """The code's sentence in the active language, its parameters filled in."""
    template = SENTENCES.get(code) or SENTENCES["internal"]
    words = {
        name: WORDS[name].get(value, value) if name in WORDS else _plain(value)
        for name, value in params.items()
    }
    try:
        return str(template) % words
    except (KeyError, TypeError, ValueError):
        # A row written by another version may lack a parameter: a bare sentence beats a 500.
        return str(template).replace("%(", "(").replace(")s", ")")
