# What customers may rely on, as service level objectives, and alerts on how fast their error budgets burn. The programs
# write how long it took into the line after which they have nothing left to do for an order: waits for people, for a
# courier or an operator, do not count (saga/ledger/processing-time.ts).
locals {
  # With fewer lines there is nothing to count.
  has_objectives = var.log_level != "warn"
  processed      = "jsonPayload.processingSeconds>=0"

  objectives = {
    in_time = {
      title   = "Orders take too long"
      slo     = one(google_monitoring_slo.in_time[*].name)
      meaning = "More orders than the objective allows needed over 30 seconds. At this rate, the error budget of 28 days is used up early."
    }
    moving = {
      title   = "Orders keep standing still"
      slo     = one(google_monitoring_slo.moving[*].name)
      meaning = "More orders than the objective allows had to be moved on by the sweep. At this rate, the error budget of 28 days is used up early."
    }
  }
  # A burn rate of 1 uses up the budget in exactly 28 days. Fast: ten hours of the budget in an hour. Slow: two days of it
  # in a day.
  burn_rates = {
    fast = { lookback = "3600s", threshold = 10 }
    slow = { lookback = "86400s", threshold = 2 }
  }
}

resource "google_logging_metric" "processing_seconds" {
  name            = "saga_processing_seconds"
  description     = "How long programs took to process orders"
  filter          = local.processed
  value_extractor = "EXTRACT(jsonPayload.processingSeconds)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
  }
  # 30 must be among them: Google counts by buckets.
  bucket_options {
    explicit_buckets {
      bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600]
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_logging_metric" "processed" {
  name        = "saga_processed_orders"
  description = "Orders that programs have processed"
  filter      = local.processed

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_custom_service" "orders" {
  count        = local.has_objectives ? 1 : 0
  service_id   = "order-saga"
  display_name = "order-saga"

  depends_on = [google_project_service.api]
}

resource "google_monitoring_slo" "in_time" {
  count               = local.has_objectives ? 1 : 0
  service             = google_monitoring_custom_service.orders[0].service_id
  slo_id              = "in-time"
  display_name        = "Orders are processed within 30 s"
  goal                = 0.999
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.processing_seconds.name}\" AND resource.type=\"${local.reader_resource}\""
      range {
        max = 30
      }
    }
  }

  depends_on = [terraform_data.groundwork]
}

resource "google_monitoring_slo" "moving" {
  count               = local.has_objectives ? 1 : 0
  service             = google_monitoring_custom_service.orders[0].service_id
  slo_id              = "moving"
  display_name        = "No order stands still"
  goal                = 0.999
  rolling_period_days = 28

  request_based_sli {
    good_total_ratio {
      good_service_filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.processed.name}\" AND resource.type=\"${local.reader_resource}\""
      bad_service_filter  = local.watched.stuck_orders.filter
    }
  }

  depends_on = [terraform_data.groundwork]
}

resource "google_monitoring_alert_policy" "burn" {
  for_each              = local.has_objectives ? local.objectives : {}
  display_name          = "order-saga: ${each.value.title}"
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].id

  dynamic "conditions" {
    for_each = local.burn_rates
    content {
      display_name = "${each.value.title}: ${conditions.key} burn"

      condition_threshold {
        filter          = "select_slo_burn_rate(\"${each.value.slo}\", \"${conditions.value.lookback}\")"
        comparison      = "COMPARISON_GT"
        threshold_value = conditions.value.threshold
        duration        = "0s"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.meaning} What to do: docs/operations/alerts.md#${lower(replace(each.value.title, " ", "-"))}"
  }

  depends_on = [terraform_data.groundwork]
}
