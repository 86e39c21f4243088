from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0099_agents_at_the_desk")]

    operations = [ValidateConstraint("agentplatform", "agent_platform_blocked_with_a_reason")]
