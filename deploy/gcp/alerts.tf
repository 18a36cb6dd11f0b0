# Alerts of Cloud Monitoring on the metrics that managed Prometheus scrapes. They do not depend on the cluster, so they also
# fire when it is gone. Expressions of the forecast server are those of serve/monitoring/alerts.yml.
locals {
  served = {
    for rule in flatten([
      for group in yamldecode(file("${path.module}/../../serve/monitoring/alerts.yml")).groups : group.rules
    ]) : rule.alert => rule
  }

  alerts = merge(
    {
      for name in ["FootballTargetDown", "FootballErrors", "FootballSlow", "FootballResultsStale"] : name => {
        query    = local.served[name].expr
        for      = lookup(local.served[name], "for", "0s")
        severity = upper(local.served[name].labels.severity)
        text     = local.served[name].annotations.description
      }
    },
    {
      DagsterRunsFailing = {
        query    = <<-EOT
          max by (dagster_job) (football_dagster_last_failure_timestamp_seconds) > time() - 86400
            unless on (dagster_job) max by (dagster_job) (football_dagster_last_success_timestamp_seconds)
              > on (dagster_job) max by (dagster_job) (football_dagster_last_failure_timestamp_seconds)
        EOT
        for      = "15m"
        severity = "WARNING"
        text     = "The last run of a job has failed within a day: the Dagster UI has the error of its step."
      }
    }
  )

  seconds = { s = 1, m = 60, h = 3600, d = 86400 }
}

resource "google_monitoring_notification_channel" "email" {
  display_name = "Football"
  type         = "email"

  labels = {
    email_address = var.alert_email
  }

  depends_on = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "alerts" {
  for_each = local.alerts

  display_name          = each.key
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.key
    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "${tonumber(substr(each.value.for, 0, length(each.value.for) - 1)) * local.seconds[substr(each.value.for, -1, 1)]}s"
      evaluation_interval = "60s"

      # Otherwise the first apply fails: the metrics do not exist before the pods were scraped.
      disable_metric_validation = true
    }
  }

  documentation {
    content   = each.value.text
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close           = "604800s"
    notification_prompts = ["OPENED", "CLOSED"]
  }
}
