resource "google_pubsub_topic" "topic" {
  for_each = local.topology.topics
  name     = each.key

  # After a restore of the database, a seek brings back from here what it does not know: the orders, and which of them had
  # failed. So both are kept a day longer than the oldest backup.
  message_retention_duration = contains(local.topology.keptForRestore, each.key) ? "${(local.backup_days + 1) * 24 * 60 * 60}s" : null

  depends_on = [google_project_service.api]
}

locals {
  # People pull, whatever the services do.
  is_pushed = { for name, subscription in local.subscriptions : name => var.subscriber == "push" && subscription.service != null }
}

resource "google_pubsub_subscription" "subscription" {
  for_each                   = local.subscriptions
  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  message_retention_duration = "${each.value.retentionDays * 24 * 60 * 60}s"

  # A push is acked by its answer, so this is the time that a request has, the start of an instance included.
  ack_deadline_seconds = local.is_pushed[each.key] ? each.value.pushDeadlineSeconds : each.value.ackDeadlineSeconds

  # Never: otherwise it is deleted after 31 days in which nobody reads it.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "${each.value.retry.minBackoffSeconds}s"
    maximum_backoff = "${each.value.retry.maxBackoffSeconds}s"
  }

  dynamic "dead_letter_policy" {
    for_each = each.value.deadLetter == null ? [] : [each.value.deadLetter]
    content {
      dead_letter_topic     = google_pubsub_topic.topic[dead_letter_policy.value.topic].id
      max_delivery_attempts = dead_letter_policy.value.maxDeliveryAttempts
    }
  }

  dynamic "push_config" {
    for_each = local.is_pushed[each.key] ? [each.value.service] : []
    content {
      push_endpoint = "${local.push_urls[push_config.value]}/push/${each.key}"

      oidc_token {
        service_account_email = google_service_account.identity["push"].email
        audience              = local.push_urls[push_config.value]
      }
    }
  }
}

# Pub/Sub itself moves a message that failed too often: it publishes to the dead-letter topic and takes the message out of
# the subscription. Without either right it does neither, and says nothing.
locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.project.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic_iam_member" "dead_letter_publisher" {
  for_each = local.dead_letter_topics
  topic    = google_pubsub_topic.topic[each.key].name
  role     = "roles/pubsub.publisher"
  member   = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter_subscriber" {
  for_each     = { for name, subscription in local.subscriptions : name => subscription if subscription.deadLetter != null }
  subscription = google_pubsub_subscription.subscription[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
