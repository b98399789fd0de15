from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0002_more_kinds'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notification',
            name='kind',
            field=models.CharField(choices=[('letters', 'New letters'), ('answer', 'Answer in a conversation of yours'), ('assigned', 'Conversation assigned to you'), ('mention', 'Mention'), ('comment', 'Comment in a conversation of yours'), ('shown', 'Conversation shown to you'), ('unanswered', 'Nobody has answered'), ('held_back', 'Letter held back'), ('not_sent', 'Letter not sent'), ('perhaps_sent', 'Letter perhaps sent'), ('not_reached', 'Letter did not reach everybody'), ('task', 'Task for you'), ('task_comment', 'Comment in a task'), ('sign_in', 'Mailbox needs a new sign-in'), ('access_asked', 'Somebody asks for access'), ('access_given', 'Access given to you'), ('suspended', 'Mailbox suspended by plan'), ('plan', 'Plan ends')], max_length=16),
        ),
    ]
