# Services whose messages go to a Cloud Run function instead. You deploy the function yourself, with gcloud
# (docs/operations/push-and-functions.md); this leads the pushes there and back.
locals {
  # Where the messages of each service are pushed. A function has the URL of a service of its name.
  push_urls = {
    for service, url in local.urls :
    service => contains(var.functions, service) ? replace(url, "https://${service}-", "https://${service}-function-") : url
  }
}

resource "google_cloud_run_v2_service_iam_member" "function" {
  for_each = var.subscriber == "push" || var.switching ? var.functions : toset([])
  name     = "${each.key}-function"
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.identity["push"].member
}
