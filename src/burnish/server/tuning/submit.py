"""A request for a job → a job, if this server has the model and the files."""

from __future__ import annotations

import re
from typing import Any

from burnish.server.api_error import ApiError
from burnish.server.tuning.desk import Desk
from burnish.server.tuning.files import TUNE
from burnish.server.tuning.jobs import Job, create_job
from burnish.server.tuning.recipe import keep_data
from burnish.server.tuning.request import JobRequest, read_request

RUN = re.compile(r"[A-Za-z0-9][\w.-]*")  # a name, and no way out of the folder of the runs


def submit(desk: Desk, body: Any) -> Job:
    """Raises ApiError: the request is wrong, or names a model or file that is not here."""
    request = read_request(body)
    _check_model(desk, request.model)
    _check_files(desk, request)
    training = desk.files.path(request.training_file)
    validation = desk.files.path(request.validation_file) if request.validation_file else None
    with desk.store.transaction():
        job = create_job(desk.store, request)
        keep_data(desk.folder(job.id), training, validation)
    return job


def _check_model(desk: Desk, name: str) -> None:
    if name in desk.bases:
        return
    if name.startswith("ft:") or (RUN.fullmatch(name) and (desk.runs / name / "recipe.yaml").is_file()):
        raise ApiError(400, f"The model {name} is tuned already, and training goes on from a base model alone: merge "
                       "it (`burnish export`) and serve the result as a base.", param="model",
                       code="model_not_available")  # fmt: skip
    raise ApiError(400, f"The model {name} is not available for fine-tuning here. Available are: "
                   f"{', '.join(sorted(desk.bases))}.", param="model", code="model_not_available")  # fmt: skip


def _check_files(desk: Desk, request: JobRequest) -> None:
    for param, id in (("training_file", request.training_file), ("validation_file", request.validation_file)):
        if id is None:
            continue
        file = desk.files.find(id)
        if file is None:
            raise ApiError(400, f"invalid {param}: there is no file {id[:80]}", param=param, code="invalid_file_id")
        if file["purpose"] != TUNE:
            raise ApiError(400, f"invalid {param}: the purpose of {id} is {file['purpose']!r}, not {TUNE!r}",
                           param=param, code="invalid_file_purpose")  # fmt: skip
    if request.training_file == request.validation_file:
        raise ApiError(400, "invalid validation_file: it is the training file, by which nothing could be validated",
                       param="validation_file", code="invalid_file_id")  # fmt: skip
