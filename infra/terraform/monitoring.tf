# What the janitor says of orders and messages that need somebody, counted. The sentences are the code's own.
locals {
  log_lines = {
    saga_stuck_orders = {
      description = "Orders that stood still and were moved on by the sweep"
      filter      = "jsonPayload.message=~\"^janitor: an order stood still\""
    }
    saga_failed_compensations = {
      description = "Compensations that do not succeed"
      filter      = "jsonPayload.message=\"janitor: a compensation does not succeed\""
    }
    saga_dead_letters = {
      description = "Messages that could not be processed and were parked on the desk"
      filter      = "jsonPayload.message=\"janitor: a dead letter was parked\""
    }
    saga_failed_sweeps = {
      description = "Sweeps that Cloud Scheduler could not get done"
      filter      = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"sweep\" AND severity>=ERROR"
    }
    # Not requests to the janitor: pushes and operators call it, too, and would hide that nobody asks for sweeps.
    saga_scheduled_sweeps = {
      description = "What Cloud Scheduler says of the sweep: that it asks for it, and what became of that"
      filter      = "resource.type=\"cloud_scheduler_job\" AND resource.labels.job_id=\"sweep\""
    }
  }
}

resource "google_logging_metric" "line" {
  for_each    = local.log_lines
  name        = each.key
  description = each.value.description
  filter      = each.value.filter

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.api]
}

# Which figures call somebody, and from where on. Each is a chart of the dashboard, too, and has a section of its title in
# docs/operations/alerts.md, which begins with its meaning.
locals {
  # Who parks dead letters writes their lines.
  reader_resource = var.subscriber == "push" ? "cloud_run_revision" : "cloud_run_worker_pool"
  # What people don't pull gets older and older, and concerns nobody.
  read_subscriptions = join(", ", [
    for name in concat(
      [for name, subscription in local.subscriptions : name if subscription.service != null],
      [for topic in local.event_topics : "${topic}-bigquery-sub"],
    ) : "\"${name}\""
  ])

  watched = {
    backlog = {
      title     = "Messages wait too long"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=one_of(${local.read_subscriptions})"
      aligner   = "ALIGN_MAX"
      reducer   = "REDUCE_MAX"
      group_by  = ["resource.labels.subscription_id"]
      threshold = 120
      for       = "120s"
      meaning   = "A service has not acked its oldest message for two minutes. The orders behind it wait; none is lost."
    }
    dead_letters = {
      title     = "A message could not be processed"
      filter    = "metric.type=\"logging.googleapis.com/user/saga_dead_letters\" AND resource.type=\"${local.reader_resource}\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = []
      threshold = 0
      for       = "0s"
      meaning   = "A message is parked on the dead-letter desk, with its reason. It stays there until you decide."
    }
    stuck_orders = {
      title     = "Orders stand still"
      filter    = "metric.type=\"logging.googleapis.com/user/saga_stuck_orders\" AND resource.type=\"cloud_run_revision\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = []
      threshold = 10
      for       = "300s"
      meaning   = "Every five minutes the sweep has to move on more than ten orders that stand still: a service or a subscription does not work."
    }
    failed_compensations = {
      title     = "A compensation does not succeed"
      filter    = "metric.type=\"logging.googleapis.com/user/saga_failed_compensations\" AND resource.type=\"cloud_run_revision\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = []
      threshold = 0
      for       = "0s"
      meaning   = "A failed order still holds stock or money. It was announced again five times without success; the janitor keeps trying."
    }
    failed_sweeps = {
      title     = "The sweep does not run"
      filter    = "metric.type=\"logging.googleapis.com/user/saga_failed_sweeps\" AND resource.type=\"cloud_scheduler_job\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = []
      threshold = 2
      for       = "0s"
      meaning   = "Orders that stand still are not moved on: three sweeps failed within five minutes, or none was asked for in ten."
      silence   = "metric.type=\"logging.googleapis.com/user/saga_scheduled_sweeps\" AND resource.type=\"cloud_scheduler_job\""
    }
    push_errors = {
      title     = "Pushes fail"
      filter    = "metric.type=\"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type=\"pubsub_subscription\" AND metric.labels.response_class!=\"ack\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = ["resource.labels.subscription_id"]
      threshold = 50
      for       = "300s"
      meaning   = "More than 50 pushes in five minutes were not acked, twice in a row. Pub/Sub repeats each of them."
    }
    latency = {
      title     = "The frontend answers slowly"
      filter    = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"frontend\""
      aligner   = "ALIGN_PERCENTILE_99"
      reducer   = "REDUCE_MAX"
      group_by  = []
      threshold = 3000
      for       = "300s"
      meaning   = "One request in a hundred takes more than three seconds."
    }
    errors = {
      title     = "The frontend fails"
      filter    = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"frontend\" AND metric.labels.response_code_class=\"5xx\""
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_SUM"
      group_by  = []
      threshold = 5
      for       = "300s"
      meaning   = "The frontend answered more than five requests in five minutes with a 5xx, twice in a row."
    }
  }
  # Where messages are pulled, no push can fail.
  alerts = { for name, alert in local.watched : name => alert if name != "push_errors" || var.subscriber == "push" }
}

resource "google_monitoring_notification_channel" "email" {
  count        = var.alert_email == null ? 0 : 1
  display_name = "order-saga"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "alert" {
  for_each              = local.alerts
  display_name          = "order-saga: ${each.value.title}"
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].id

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = each.value.for

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
        group_by_fields      = each.value.group_by
      }
    }
  }

  # Where nothing at all is bad news, too. What is not counted any more may be a zero or no data: both are less than one.
  dynamic "conditions" {
    for_each = try([each.value.silence], [])
    content {
      display_name = "${each.value.title}: silence"

      condition_threshold {
        filter                  = conditions.value
        comparison              = "COMPARISON_LT"
        threshold_value         = 1
        duration                = "300s"
        evaluation_missing_data = "EVALUATION_MISSING_DATA_ACTIVE"

        aggregations {
          alignment_period     = "300s"
          per_series_aligner   = "ALIGN_DELTA"
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.meaning} What to do: docs/operations/alerts.md#${lower(replace(each.value.title, " ", "-"))}"
  }

  depends_on = [terraform_data.groundwork]
}

locals {
  traffic = [
    {
      title    = "Orders and questions a second"
      filter   = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"frontend\""
      aligner  = "ALIGN_RATE"
      reducer  = "REDUCE_SUM"
      group_by = ["metric.labels.response_code_class"]
    },
    {
      title    = "Messages published a second"
      filter   = "metric.type=\"pubsub.googleapis.com/topic/send_message_operation_count\" AND resource.type=\"pubsub_topic\""
      aligner  = "ALIGN_RATE"
      reducer  = "REDUCE_SUM"
      group_by = ["resource.labels.topic_id"]
    },
    {
      title    = "Instances"
      filter   = "metric.type=\"run.googleapis.com/container/instance_count\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_MAX"
      reducer  = "REDUCE_SUM"
      group_by = ["resource.labels.service_name"]
    },
    {
      title    = "Documents written a second"
      filter   = "metric.type=\"firestore.googleapis.com/document/write_count\" AND resource.type=\"firestore_instance\""
      aligner  = "ALIGN_RATE"
      reducer  = "REDUCE_SUM"
      group_by = ["metric.labels.op"]
    },
  ]
  # What the services themselves send, where they do. A service that rests sends nothing, and sends late when it wakes: these
  # are for the eye, and no alert rests on them.
  sent = var.telemetry == "google" ? [
    {
      title    = "Orders that came to their end, a second"
      filter   = "metric.type=\"prometheus.googleapis.com/saga.orders/counter\" AND resource.type=\"prometheus_target\""
      aligner  = "ALIGN_RATE"
      reducer  = "REDUCE_SUM"
      group_by = ["metric.labels.status", "metric.labels.reason"]
    },
    {
      title    = "Seconds in a status, 99 of 100 orders"
      filter   = "metric.type=\"prometheus.googleapis.com/saga.stage.duration/histogram\" AND resource.type=\"prometheus_target\""
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_PERCENTILE_99"
      group_by = ["metric.labels.status"]
    },
    {
      title    = "Ledgers in one commit, half of the commits"
      filter   = "metric.type=\"prometheus.googleapis.com/saga.batch.size/histogram\" AND resource.type=\"prometheus_target\""
      aligner  = "ALIGN_DELTA"
      reducer  = "REDUCE_PERCENTILE_50"
      group_by = ["metric.labels.by"]
    },
    {
      title    = "Reads and commits that failed, a second"
      filter   = "metric.type=\"prometheus.googleapis.com/saga.store.errors/counter\" AND resource.type=\"prometheus_target\""
      aligner  = "ALIGN_RATE"
      reducer  = "REDUCE_SUM"
      group_by = ["metric.labels.operation", "metric.labels.kind"]
    },
  ] : []
  charts = concat(
    [for chart in concat(local.traffic, local.sent) : merge(chart, { thresholds = [] })],
    [for chart in values(local.alerts) : merge(chart, { thresholds = [chart.threshold == 0 ? {} : { value = chart.threshold }] })],
  )
}

resource "google_monitoring_dashboard" "dashboard" {
  dashboard_json = jsonencode({
    displayName = "order-saga"
    mosaicLayout = {
      columns = 12
      tiles = [
        # Google keeps no field that is zero or empty. Written down, it would be a change in every plan.
        for index, chart in local.charts : merge(
          { for side, place in { xPos = index % 2 * 6, yPos = floor(index / 2) * 4 } : side => place if place != 0 },
          {
            width  = 6
            height = 4
            widget = {
              title = chart.title
              xyChart = merge(chart.thresholds == [] ? {} : { thresholds = chart.thresholds }, {
                dataSets = [{
                  plotType = "LINE"
                  timeSeriesQuery = {
                    timeSeriesFilter = {
                      filter = chart.filter
                      aggregation = merge(length(chart.group_by) == 0 ? {} : { groupByFields = chart.group_by }, {
                        alignmentPeriod    = "300s"
                        perSeriesAligner   = chart.aligner
                        crossSeriesReducer = chart.reducer
                      })
                    }
                  }
                }]
              })
            }
          },
        )
      ]
    }
  })

  depends_on = [google_project_service.api]
}

resource "google_billing_budget" "budget" {
  count           = var.monthly_budget == null ? 0 : 1
  billing_account = data.google_project.project.billing_account
  display_name    = "order-saga"

  budget_filter {
    projects = ["projects/${data.google_project.project.number}"]
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }
  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 1
  }
  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  depends_on = [google_project_service.api]
}
