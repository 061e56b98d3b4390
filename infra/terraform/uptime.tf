# Whether the shop answers from outside. Only where it is public: Google's checkers have no right to invoke it.
locals {
  outside = {
    title   = "The shop is out of reach"
    meaning = "Google's checkers in two places of the world or more got no good answer from the shop."
  }
}

resource "google_monitoring_uptime_check_config" "shop" {
  count        = var.public ? 1 : 0
  display_name = "order-saga"
  period       = "300s"
  timeout      = "10s"

  # It needs neither the database nor a customer. /readyz would say more, but Google keeps some paths that end in z to itself.
  http_check {
    path         = "/saga"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }
  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project
      host       = trimprefix(local.shop_url, "https://")
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "uptime" {
  count                 = var.public ? 1 : 0
  display_name          = "order-saga: ${local.outside.title}"
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = local.outside.title

    condition_threshold {
      filter          = "metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type=\"uptime_url\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.shop[0].uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "60s"

      # One place that fails may be its own fault.
      aggregations {
        alignment_period     = "1200s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${local.outside.meaning} What to do: docs/operations/alerts.md#${lower(replace(local.outside.title, " ", "-"))}"
  }

  depends_on = [terraform_data.groundwork]
}
