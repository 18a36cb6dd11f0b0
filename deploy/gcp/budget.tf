# Notifies when the costs of a month approach the budget. It stops nothing.
data "google_project" "football" {
  project_id = var.project

  depends_on = [google_project_service.used]
}

resource "google_billing_budget" "month" {
  billing_account = var.billing_account
  display_name    = "football"

  budget_filter {
    projects        = ["projects/${data.google_project.football.number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      units = tostring(var.budget_units)
    }
  }

  threshold_rules {
    threshold_percent = 0.5
  }

  threshold_rules {
    threshold_percent = 0.9
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }

  depends_on = [google_project_service.used]
}
