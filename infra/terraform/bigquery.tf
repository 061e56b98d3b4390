# Every event in BigQuery, if you want it: docs/bigquery.md. Pub/Sub writes there by itself.
locals {
  event_topics = toset(var.bigquery_events ? local.topology.announcing : [])
  # An event that can't be written ends where a message does that a service can't process.
  event_policy = local.topology.policies.service
}

resource "google_bigquery_dataset" "events" {
  count       = var.bigquery_events ? 1 : 0
  dataset_id  = "order_saga"
  location    = var.region
  description = "The events of order-saga"

  depends_on = [google_project_service.api]
}

resource "google_bigquery_table" "events" {
  count               = var.bigquery_events ? 1 : 0
  dataset_id          = google_bigquery_dataset.events[0].dataset_id
  table_id            = "events"
  description         = "A row for each delivery of an event: repetitions have the same ce-id"
  schema              = file("${path.module}/../bigquery-events.json")
  deletion_protection = var.deletion_protection

  # A query for a few days is billed for those days alone.
  time_partitioning {
    type  = "DAY"
    field = "publish_time"
  }
}

resource "google_bigquery_table_iam_member" "pubsub" {
  count      = var.bigquery_events ? 1 : 0
  dataset_id = google_bigquery_dataset.events[0].dataset_id
  table_id   = google_bigquery_table.events[0].table_id
  role       = "roles/bigquery.dataEditor"
  member     = local.pubsub_agent
}

resource "google_pubsub_subscription" "bigquery" {
  for_each                   = local.event_topics
  name                       = "${each.key}-bigquery-sub"
  topic                      = google_pubsub_topic.topic[each.key].id
  message_retention_duration = "${local.event_policy.retentionDays * 24 * 60 * 60}s"

  bigquery_config {
    table            = "${var.project}.${google_bigquery_dataset.events[0].dataset_id}.${google_bigquery_table.events[0].table_id}"
    use_table_schema = true
    # The attributes say which event it is.
    write_metadata = true
    # Some fields can't be columns. Without this, Pub/Sub would refuse a message that has one.
    drop_unknown_fields = true
  }

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "${local.event_policy.retry.minBackoffSeconds}s"
    maximum_backoff = "${local.event_policy.retry.maxBackoffSeconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.topic[local.event_policy.deadLetter.topic].id
    max_delivery_attempts = local.event_policy.deadLetter.maxDeliveryAttempts
  }

  # Pub/Sub looks at the table when the subscription is made.
  depends_on = [google_bigquery_table_iam_member.pubsub]
}

resource "google_pubsub_subscription_iam_member" "bigquery_dead_letter_subscriber" {
  for_each     = local.event_topics
  subscription = google_pubsub_subscription.bigquery[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
