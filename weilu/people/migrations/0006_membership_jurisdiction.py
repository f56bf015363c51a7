# A membership belongs to the jurisdiction of its person: it grows with use, and is kept where its person is kept.

import django.db.models.deletion
from django.db import migrations, models

FILL = """
UPDATE people_membership m SET jurisdiction_id = p.jurisdiction_id FROM people_person p WHERE p.id = m.person_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orgs', '0006_jurisdiction_second_factor_roles_and_more'),
        ('people', '0005_rosterimport_attempts_rosterimport_end_missing_and_more'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='jurisdiction',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='orgs.jurisdiction'),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        # Checked now: a table with checks that wait for the end of the transaction cannot be altered.
        migrations.RunSQL('SET CONSTRAINTS ALL IMMEDIATE', migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='membership',
            name='jurisdiction',
            field=models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, to='orgs.jurisdiction'),
        ),
    ]
