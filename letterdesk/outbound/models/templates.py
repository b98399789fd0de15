"""Texts that people write again and again."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Department, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.outbound.access import TemplateFileQuerySet, TemplateQuerySet


class Template(models.Model):
    """A text with placeholders (`templates.py`). Its owner's alone, a department's, or everyone's."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    department = models.ForeignKey(Department, on_delete=models.SET_NULL, null=True, related_name="+")
    is_everyones = models.BooleanField(default=False)
    name = models.CharField(max_length=80)
    key = models.TextField(default="", editable=False)  # the name, folded, as it is looked for
    subject = models.CharField(max_length=300, blank=True, default="")
    html = models.TextField(blank=True, default="")  # empty: a template of plain text
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = TemplateQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def holder(self) -> str:
        """What blob references call this template."""
        return f"template:{self.pk}"


class TemplateFile(models.Model):
    """A file that goes along with each letter into which the template is put."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="files")
    blob = models.CharField(max_length=64)
    filename = models.CharField(max_length=300)
    content_type = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=timezone.now)

    objects = TemplateFileQuerySet.as_manager()

    def __str__(self) -> str:
        return self.filename
